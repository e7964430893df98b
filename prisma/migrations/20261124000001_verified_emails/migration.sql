-- AlterTable
ALTER TABLE "users" ADD COLUMN     "email_verified_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "memberships" ADD COLUMN     "accepted_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "invitations" ADD COLUMN     "mail_token_hash" BYTEA,
ADD COLUMN     "mailed_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "attempt_counters" (
    "key_hash" BYTEA NOT NULL,
    "count" INTEGER NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "attempt_counters_pkey" PRIMARY KEY ("key_hash")
);

-- CreateIndex
CREATE INDEX "attempt_counters_ends_at_idx" ON "attempt_counters"("ends_at");

-- Instance administrators were let in by whoever runs the server. Of everybody else only accepted invitations are known to
-- be theirs: what was opened by an e-mail alone opens again with the next password that comes by mail.
UPDATE "users" SET "email_verified_at" = "created_at" WHERE "instance_administrator";
UPDATE "memberships" m SET "accepted_at" = i."accepted_at" FROM "invitations" i
  WHERE i."organization_id" = m."organization_id" AND i."user_id" = m."user_id" AND i."accepted_at" >= m."created_at";
