-- Key pairs that access tokens are signed with. They belong to the instance: claviger_app has no access.
-- CreateTable
CREATE TABLE "signing_keys" (
    "kid" TEXT NOT NULL,
    "public_key" JSONB NOT NULL,
    "sealed_private_key" BYTEA,
    "pepper_version" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "signs_from" TIMESTAMPTZ(3) NOT NULL,
    "signs_until" TIMESTAMPTZ(3),
    "verifies_until" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("kid")
);

-- There is one last key, however many instances make the first or the next one at once.
CREATE UNIQUE INDEX "signing_keys_last" ON "signing_keys" ((true)) WHERE "signs_until" IS NULL;
-- Whatever stops signing has an end as a verifier too, and gone keys are not the last.
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_ends" CHECK (("signs_until" IS NULL) = ("verifies_until" IS NULL) AND ("revoked_at" IS NULL OR "signs_until" IS NOT NULL));
