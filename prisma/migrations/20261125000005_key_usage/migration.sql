-- CreateTable
CREATE TABLE "key_usage" (
    "organization_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "route" TEXT NOT NULL,
    "ip" TEXT NOT NULL,
    "client" TEXT NOT NULL,
    "requests" INTEGER NOT NULL,
    "refused" INTEGER NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "last_refused_at" TIMESTAMPTZ(3),

    CONSTRAINT "key_usage_pkey" PRIMARY KEY ("organization_id","key_id","day","route","ip","client")
);

-- CreateIndex
CREATE INDEX "key_usage_day_idx" ON "key_usage"("day");

-- AddForeignKey
ALTER TABLE "key_usage" ADD CONSTRAINT "key_usage_organization_id_key_id_fkey" FOREIGN KEY ("organization_id", "key_id") REFERENCES "keys"("organization_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Row-level security. Tenants read; what is counted is written behind the requests, for all of them at once.
GRANT SELECT ON "key_usage" TO claviger_app;
ALTER TABLE "key_usage" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "tenant" ON "key_usage" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));
