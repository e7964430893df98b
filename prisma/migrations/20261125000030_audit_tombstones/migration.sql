-- CreateTable
CREATE TABLE "audit_tombstones" (
    "chain" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "events" BIGINT NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "key" TEXT NOT NULL,
    "signature" TEXT NOT NULL,

    CONSTRAINT "audit_tombstones_pkey" PRIMARY KEY ("chain","sequence")
);

-- Row-level security, and nothing is changed, as with the events that they stand for.
GRANT SELECT ON "audit_tombstones" TO claviger_app;
ALTER TABLE "audit_tombstones" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "tenant" ON "audit_tombstones" FOR SELECT TO claviger_app USING ("chain" = current_setting('app.organization_id', true));
CREATE TRIGGER "audit_tombstones_refuse_change" BEFORE UPDATE OR DELETE ON "audit_tombstones" FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_tombstones_refuse_truncate" BEFORE TRUNCATE ON "audit_tombstones" FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();
