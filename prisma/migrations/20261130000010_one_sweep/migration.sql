-- What has expired is taken away by the server's sweep, as the login role, and no longer by whoever writes.
DROP FUNCTION "sweep_idempotency_records"(integer);
REVOKE DELETE ON "revoked_access_tokens" FROM claviger_app;
