-- CreateTable
CREATE TABLE "idempotency_records" (
    "organization_id" TEXT NOT NULL,
    "credential_id" TEXT NOT NULL,
    "key_hash" BYTEA NOT NULL,
    "fingerprint" BYTEA NOT NULL,
    "answer" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_records_pkey" PRIMARY KEY ("organization_id","credential_id","key_hash")
);

-- CreateIndex
CREATE INDEX "idempotency_records_expires_at_idx" ON "idempotency_records"("expires_at");

GRANT SELECT, INSERT, UPDATE ON "idempotency_records" TO claviger_app;
ALTER TABLE "idempotency_records" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "tenant" ON "idempotency_records" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));

-- Deletes up to `most` records that have expired, of whatever organization: whoever makes a record
-- sweeps for those who make none any more. It waits for nobody and tells nothing.
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
