-- How many keys of an account are usable is read from the index alone: lists ask it for each account of a page.
DROP INDEX "keys_organization_id_service_account_id_idx";
CREATE INDEX "keys_organization_id_service_account_id_idx" ON "keys" ("organization_id", "service_account_id")
  INCLUDE ("revoked_at", "expires_at", "replaced_by_id");
