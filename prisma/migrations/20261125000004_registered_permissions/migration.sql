-- CreateTable
CREATE TABLE "registered_permissions" (
    "organization_id" TEXT NOT NULL,
    "permission" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "created_by_type" TEXT NOT NULL,
    "created_by_id" TEXT,
    "created_by_name" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "registered_permissions_pkey" PRIMARY KEY ("organization_id","permission")
);

-- AddForeignKey
ALTER TABLE "registered_permissions" ADD CONSTRAINT "registered_permissions_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What the code promises of every name: it fits into an OAuth scope (RFC 6749 section 3.3).
ALTER TABLE "registered_permissions" ADD CONSTRAINT "registered_permissions_permission" CHECK (length("permission") <= 128 AND "permission" ~ '^[a-z0-9.-]+:[a-z0-9-]+$');

-- Row-level security.
GRANT SELECT, INSERT, UPDATE, DELETE ON "registered_permissions" TO claviger_app;
ALTER TABLE "registered_permissions" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "tenant" ON "registered_permissions" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));
