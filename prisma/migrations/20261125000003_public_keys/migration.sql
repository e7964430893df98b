-- Keys of service accounts that have a key pair instead of a token: only its public key is known here.
-- AlterTable
ALTER TABLE "keys" ADD COLUMN     "public_key" JSONB,
ALTER COLUMN "token_hash" DROP NOT NULL,
ALTER COLUMN "pepper_version" DROP NOT NULL,
ALTER COLUMN "obfuscated_token" DROP NOT NULL;

ALTER TABLE "keys" ADD CONSTRAINT "keys_token_or_public_key" CHECK (num_nonnulls("token_hash", "public_key") = 1 AND num_nulls("token_hash", "pepper_version", "obfuscated_token") IN (0, 3));

-- Assertions that such keys have authenticated with, each good for one use, until they have expired.
-- CreateTable
CREATE TABLE "used_assertions" (
    "organization_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "jti_hash" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "used_assertions_pkey" PRIMARY KEY ("key_id","jti_hash")
);

-- CreateIndex
CREATE INDEX "used_assertions_expires_at_idx" ON "used_assertions"("expires_at");

-- Written by the credential check alone: nobody who works for one organization sees any of it.
ALTER TABLE "used_assertions" ENABLE ROW LEVEL SECURITY;
