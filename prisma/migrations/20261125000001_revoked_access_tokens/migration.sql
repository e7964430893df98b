-- Access tokens (JWTs) that were revoked one by one, until they would have expired anyway.
-- CreateTable
CREATE TABLE "revoked_access_tokens" (
    "organization_id" TEXT NOT NULL,
    "jti" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revoked_access_tokens_pkey" PRIMARY KEY ("organization_id","jti")
);

-- CreateIndex
CREATE INDEX "revoked_access_tokens_organization_id_expires_at_idx" ON "revoked_access_tokens"("organization_id", "expires_at");

GRANT SELECT, INSERT, DELETE ON "revoked_access_tokens" TO claviger_app;
ALTER TABLE "revoked_access_tokens" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "tenant" ON "revoked_access_tokens" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));
