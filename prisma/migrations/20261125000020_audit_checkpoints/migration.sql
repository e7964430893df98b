-- AlterTable. Tells databases apart: what another one has written is no sign that this one was set back.
ALTER TABLE "instance" ADD COLUMN "uid" TEXT NOT NULL DEFAULT (gen_random_uuid())::text;

-- CreateTable
CREATE TABLE "audit_checkpoints" (
    "chain" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "set_back_from" BIGINT,
    "key" TEXT NOT NULL,
    "signature" TEXT NOT NULL,

    CONSTRAINT "audit_checkpoints_pkey" PRIMARY KEY ("chain","sequence")
);

-- Row-level security, and nothing is changed, as with the events themselves.
GRANT SELECT ON "audit_checkpoints" TO claviger_app;
ALTER TABLE "audit_checkpoints" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "tenant" ON "audit_checkpoints" FOR SELECT TO claviger_app USING ("chain" = current_setting('app.organization_id', true));
CREATE TRIGGER "audit_checkpoints_refuse_change" BEFORE UPDATE OR DELETE ON "audit_checkpoints" FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_checkpoints_refuse_truncate" BEFORE TRUNCATE ON "audit_checkpoints" FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();
