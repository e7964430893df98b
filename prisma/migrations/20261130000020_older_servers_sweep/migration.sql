-- What 20261130000010_one_sweep took away too early: servers from before it call this function whenever they keep an answer for a
-- retry, and delete expired rows here whenever they revoke an access token. Beside this version, or after a roll back, they must be
-- able to. Nothing of this version uses either; one release later both go for good.
CREATE FUNCTION "sweep_idempotency_records"(most integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM idempotency_records r
    USING (SELECT organization_id, credential_id, key_hash FROM idempotency_records
      WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT most FOR UPDATE SKIP LOCKED) AS expired
    WHERE r.organization_id = expired.organization_id AND r.credential_id = expired.credential_id
      AND r.key_hash = expired.key_hash
$$;
REVOKE ALL ON FUNCTION "sweep_idempotency_records"(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "sweep_idempotency_records"(integer) TO claviger_app;
GRANT DELETE ON "revoked_access_tokens" TO claviger_app;
