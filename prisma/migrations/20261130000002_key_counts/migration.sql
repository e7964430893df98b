-- How many keys of an account are usable is read from this index alone: lists ask it for each account of a page.
CREATE INDEX "keys_usable_idx" ON "keys" ("organization_id", "service_account_id") INCLUDE ("expires_at", "replaced_by_id")
  WHERE "revoked_at" IS NULL;
