-- The role as which all work of a tenant runs. Roles belong to the cluster, not to the database, so
-- another database may have made it already; PostgreSQL 16+ lets its maker SET ROLE only when it
-- is granted.
DO $$
DECLARE
  may_set boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'claviger_app') THEN
    BEGIN
      CREATE ROLE claviger_app NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END IF;
  IF current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'SELECT pg_has_role(current_user, ''claviger_app'', ''SET'')' INTO may_set;
  ELSE
    may_set := pg_has_role(current_user, 'claviger_app', 'MEMBER');
  END IF;
  IF NOT may_set THEN
    EXECUTE format('GRANT claviger_app TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE EXCEPTION 'claviger_role_missing: %', current_user;
END $$;

-- CreateTable
CREATE TABLE "instance" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "token_prefix" TEXT NOT NULL,
    "pepper_check" BYTEA NOT NULL,
    "pepper_version" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "instance_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "setup_tokens" (
    "id" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "pepper_version" INTEGER NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "setup_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "organizations" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "max_keys_per_service_account" INTEGER NOT NULL DEFAULT 10,
    "max_key_lifetime_seconds" INTEGER,
    "requests_per_minute" INTEGER NOT NULL DEFAULT 500,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "password_hash" TEXT,
    "instance_administrator" BOOLEAN NOT NULL DEFAULT false,
    "last_login_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "pepper_version" INTEGER NOT NULL,
    "ip" TEXT NOT NULL,
    "user_agent" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roles" (
    "organization_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "built_in" BOOLEAN NOT NULL DEFAULT false,
    "permissions" TEXT[],
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "roles_pkey" PRIMARY KEY ("organization_id","key")
);

-- CreateTable
CREATE TABLE "memberships" (
    "organization_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "role_key" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "attributes" JSONB NOT NULL DEFAULT '{}',
    "created_by_type" TEXT NOT NULL,
    "created_by_id" TEXT,
    "created_by_name" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "memberships_pkey" PRIMARY KEY ("organization_id","user_id")
);

-- CreateTable
CREATE TABLE "service_accounts" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "role_key" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "owner_id" TEXT,
    "backup_owner_id" TEXT,
    "purpose" TEXT NOT NULL DEFAULT '',
    "systems" TEXT[],
    "documentation_url" TEXT,
    "labels" JSONB NOT NULL DEFAULT '{}',
    "last_used_at" TIMESTAMPTZ(3),
    "created_by_type" TEXT NOT NULL,
    "created_by_id" TEXT,
    "created_by_name" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "service_accounts_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "keys" (
    "organization_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "service_account_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "pepper_version" INTEGER NOT NULL,
    "obfuscated_token" TEXT NOT NULL,
    "all_permissions" BOOLEAN NOT NULL DEFAULT true,
    "permissions" TEXT[],
    "allowed_cidrs" TEXT[],
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "last_used_ip" TEXT,
    "rotated_from_id" TEXT,
    "replaced_by_id" TEXT,
    "created_by_type" TEXT NOT NULL,
    "created_by_id" TEXT,
    "created_by_name" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "keys_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "audit_heads" (
    "chain" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL DEFAULT 0,
    "hash" BYTEA NOT NULL,
    "auth_epoch" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "audit_heads_pkey" PRIMARY KEY ("chain")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "chain" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "body" TEXT NOT NULL,
    "previous_hash" BYTEA NOT NULL,
    "hash" BYTEA NOT NULL,
    "seal" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "actor_id" TEXT,
    "key_id" TEXT,
    "target_id" TEXT,
    "request_id" TEXT,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("chain","sequence","occurred_at")
) PARTITION BY RANGE ("occurred_at");

-- Takes whatever no dated partition takes, so that no event is ever refused for its time.
CREATE TABLE "audit_events_default" PARTITION OF "audit_events" DEFAULT;

-- CreateTable
CREATE TABLE "audit_seals" (
    "chain" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "seal" TEXT NOT NULL,

    CONSTRAINT "audit_seals_pkey" PRIMARY KEY ("chain","sequence")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "memberships_user_id_idx" ON "memberships"("user_id");

-- CreateIndex
CREATE INDEX "memberships_organization_id_role_key_idx" ON "memberships"("organization_id", "role_key");

-- CreateIndex
CREATE INDEX "service_accounts_organization_id_role_key_idx" ON "service_accounts"("organization_id", "role_key");

-- CreateIndex
CREATE INDEX "service_accounts_organization_id_owner_id_idx" ON "service_accounts"("organization_id", "owner_id");

-- CreateIndex
CREATE INDEX "service_accounts_organization_id_backup_owner_id_idx" ON "service_accounts"("organization_id", "backup_owner_id");

-- CreateIndex
CREATE UNIQUE INDEX "keys_id_key" ON "keys"("id");

-- CreateIndex
CREATE INDEX "keys_organization_id_service_account_id_idx" ON "keys"("organization_id", "service_account_id");

-- CreateIndex
CREATE INDEX "keys_organization_id_created_at_idx" ON "keys"("organization_id", "created_at");

-- CreateIndex
CREATE INDEX "audit_events_chain_actor_id_sequence_idx" ON "audit_events"("chain", "actor_id", "sequence");

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roles" ADD CONSTRAINT "roles_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_organization_id_role_key_fkey" FOREIGN KEY ("organization_id", "role_key") REFERENCES "roles"("organization_id", "key") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_accounts" ADD CONSTRAINT "service_accounts_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_accounts" ADD CONSTRAINT "service_accounts_organization_id_role_key_fkey" FOREIGN KEY ("organization_id", "role_key") REFERENCES "roles"("organization_id", "key") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_accounts" ADD CONSTRAINT "service_accounts_organization_id_owner_id_fkey" FOREIGN KEY ("organization_id", "owner_id") REFERENCES "memberships"("organization_id", "user_id") ON DELETE SET NULL ("owner_id") ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "service_accounts" ADD CONSTRAINT "service_accounts_organization_id_backup_owner_id_fkey" FOREIGN KEY ("organization_id", "backup_owner_id") REFERENCES "memberships"("organization_id", "user_id") ON DELETE SET NULL ("backup_owner_id") ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "keys" ADD CONSTRAINT "keys_organization_id_service_account_id_fkey" FOREIGN KEY ("organization_id", "service_account_id") REFERENCES "service_accounts"("organization_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;


-- Values that the code promises and the database keeps.
ALTER TABLE "instance" ADD CONSTRAINT "instance_one_row" CHECK ("id" = 1);
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_status" CHECK ("status" IN ('active', 'suspended'));
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_status" CHECK ("status" IN ('active', 'invited', 'disabled'));
ALTER TABLE "service_accounts" ADD CONSTRAINT "service_accounts_status" CHECK ("status" IN ('active', 'disabled'));
ALTER TABLE "users" ADD CONSTRAINT "users_email_lower" CHECK ("email" = lower("email"));

-- A deleted account's name becomes free.
CREATE UNIQUE INDEX "service_accounts_name_key" ON "service_accounts" ("organization_id", lower("name")) WHERE "deleted_at" IS NULL;

-- Only some events have a target; the others need not pay for this index.
CREATE INDEX "audit_events_chain_target_id_sequence_idx" ON "audit_events" ("chain", "target_id", "sequence") WHERE "target_id" IS NOT NULL;

-- Rewritten with every batch: room on the page keeps the updates out of the indexes.
ALTER TABLE "audit_heads" SET (fillfactor = 10);

-- Row-level security: the tenant's role sees one organization, the one named for the transaction.
GRANT USAGE ON SCHEMA "public" TO claviger_app;
GRANT SELECT, UPDATE ON "organizations" TO claviger_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "roles", "memberships" TO claviger_app;
GRANT SELECT, INSERT, UPDATE ON "service_accounts", "keys" TO claviger_app;
GRANT SELECT ("id", "email", "name", "last_login_at", "created_at") ON "users" TO claviger_app;
GRANT SELECT ON "audit_events", "audit_heads", "audit_seals" TO claviger_app;

ALTER TABLE "organizations" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "roles" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "memberships" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "service_accounts" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "keys" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "users" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "audit_events" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "audit_heads" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "audit_seals" ENABLE ROW LEVEL SECURITY;

CREATE POLICY "tenant" ON "organizations" TO claviger_app USING ("id" = current_setting('app.organization_id', true));
CREATE POLICY "tenant" ON "roles" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));
CREATE POLICY "tenant" ON "memberships" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));
CREATE POLICY "tenant" ON "service_accounts" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));
CREATE POLICY "tenant" ON "keys" TO claviger_app USING ("organization_id" = current_setting('app.organization_id', true));
-- The policy of memberships applies inside the subquery: a person is seen where they are a member.
CREATE POLICY "tenant" ON "users" FOR SELECT TO claviger_app USING (EXISTS (SELECT FROM "memberships" m WHERE m."user_id" = "users"."id"));
CREATE POLICY "tenant" ON "audit_events" FOR SELECT TO claviger_app USING ("chain" = current_setting('app.organization_id', true));
CREATE POLICY "tenant" ON "audit_heads" FOR SELECT TO claviger_app USING ("chain" = current_setting('app.organization_id', true));
CREATE POLICY "tenant" ON "audit_seals" FOR SELECT TO claviger_app USING ("chain" = current_setting('app.organization_id', true));

-- Finds the person with this e-mail (lower-cased), or makes one. Answers the id alone, so that an
-- organization learns nothing of a person who exists elsewhere.
CREATE FUNCTION "find_or_create_person"(new_id text, person_email text, person_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  found_id text;
BEGIN
  INSERT INTO users (id, email, name) VALUES (new_id, lower(person_email), person_name)
    ON CONFLICT (email) DO NOTHING;
  SELECT id INTO found_id FROM users WHERE email = lower(person_email);
  RETURN found_id;
END $$;
REVOKE ALL ON FUNCTION "find_or_create_person"(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "find_or_create_person"(text, text, text) TO claviger_app;

-- The trail can only grow.
CREATE FUNCTION "audit_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail cannot be changed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER "audit_events_refuse_change" BEFORE UPDATE OR DELETE ON "audit_events" FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_events_refuse_truncate" BEFORE TRUNCATE ON "audit_events" FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_events_default_refuse_truncate" BEFORE TRUNCATE ON "audit_events_default" FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_seals_refuse_change" BEFORE UPDATE OR DELETE ON "audit_seals" FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_seals_refuse_truncate" BEFORE TRUNCATE ON "audit_seals" FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_heads_refuse_delete" BEFORE DELETE ON "audit_heads" FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_heads_refuse_truncate" BEFORE TRUNCATE ON "audit_heads" FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();

-- Appends events to their chains; all arrays have one entry an event, events of one chain stand
-- together. Answers one code an event:
--   0 appended
--   1 stale: the chain's auth_epoch is not the event's epoch any more, or its not_after (Unix
--     milliseconds) has passed by this database's clock
--   2 busy: another transaction holds the chain's head, and `wait` is false
--   3 there is no such chain
-- An event without epoch and not_after is appended unconditionally. With `raise_epoch` the epoch of
-- every chain named is raised, in this same transaction.
CREATE FUNCTION "audit_append"(
  chains text[], bodies text[], seals text[], epochs bigint[], not_afters bigint[],
  actions text[], outcomes text[], actor_ids text[], key_ids text[], target_ids text[], request_ids text[],
  wait boolean, raise_epoch boolean
) RETURNS smallint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  own_chain CONSTANT text := CASE WHEN current_setting('role', true) = 'claviger_app'
    THEN coalesce(current_setting('app.organization_id', true), '') END;
  codes smallint[] := '{}';
  sequences bigint[] := '{}';
  times bigint[] := '{}';
  previous_hashes bytea[] := '{}';
  hashes bytea[] := '{}';
  event record;
  current_chain text;
  head_state smallint;
  head_sequence bigint;
  head_hash bytea;
  head_epoch bigint;
  now_ms bigint;
  code smallint;
  next_hash bytea;
BEGIN
  FOR event IN
    SELECT * FROM unnest(chains, bodies, epochs, not_afters) AS e(chain, body, epoch, not_after)
  LOOP
    IF event.chain IS DISTINCT FROM current_chain THEN
      IF head_state = 0 THEN
        UPDATE audit_heads SET sequence = head_sequence, hash = head_hash, auth_epoch = head_epoch WHERE chain = current_chain;
      END IF;
      IF own_chain IS NOT NULL AND event.chain IS DISTINCT FROM own_chain THEN
        RAISE EXCEPTION 'a tenant appends to its own chain only' USING ERRCODE = 'insufficient_privilege';
      END IF;
      current_chain := event.chain;
      IF wait THEN
        SELECT sequence, hash, auth_epoch INTO head_sequence, head_hash, head_epoch
          FROM audit_heads WHERE chain = current_chain FOR UPDATE;
      ELSE
        SELECT sequence, hash, auth_epoch INTO head_sequence, head_hash, head_epoch
          FROM audit_heads WHERE chain = current_chain FOR UPDATE SKIP LOCKED;
      END IF;
      IF FOUND THEN
        head_state := 0;
        now_ms := floor(extract(epoch FROM clock_timestamp()) * 1000);
        IF raise_epoch THEN head_epoch := head_epoch + 1; END IF;
      ELSIF EXISTS (SELECT FROM audit_heads WHERE chain = current_chain) THEN
        head_state := 2;
      ELSE
        head_state := 3;
      END IF;
    END IF;

    code := head_state;
    IF code = 0 AND (event.epoch <> head_epoch OR event.not_after <= now_ms) THEN
      code := 1;
    END IF;
    codes := codes || code;
    IF code = 0 THEN
      head_sequence := head_sequence + 1;
      next_hash := sha256(head_hash || int8send(head_sequence) || int8send(now_ms)
        || convert_to(current_chain, 'UTF8') || '\x00'::bytea || convert_to(event.body, 'UTF8'));
      sequences := sequences || head_sequence;
      times := times || now_ms;
      previous_hashes := previous_hashes || head_hash;
      hashes := hashes || next_hash;
      head_hash := next_hash;
    ELSE
      sequences := sequences || NULL::bigint;
      times := times || NULL::bigint;
      previous_hashes := previous_hashes || NULL::bytea;
      hashes := hashes || NULL::bytea;
    END IF;
  END LOOP;
  IF head_state = 0 THEN
    UPDATE audit_heads SET sequence = head_sequence, hash = head_hash, auth_epoch = head_epoch WHERE chain = current_chain;
  END IF;

  INSERT INTO audit_events (chain, sequence, occurred_at, body, previous_hash, hash, seal, action, outcome, actor_id, key_id, target_id, request_id)
    SELECT e.chain, e.sequence, to_timestamp(e.ms / 1000.0), e.body, e.previous_hash, e.hash, e.seal, e.action, e.outcome, e.actor_id, e.key_id, e.target_id, e.request_id
    FROM unnest(chains, sequences, times, bodies, previous_hashes, hashes, seals, actions, outcomes, actor_ids, key_ids, target_ids, request_ids)
      AS e(chain, sequence, ms, body, previous_hash, hash, seal, action, outcome, actor_id, key_id, target_id, request_id)
    WHERE e.sequence IS NOT NULL;
  RETURN codes;
END $$;
REVOKE ALL ON FUNCTION "audit_append"(text[], text[], text[], bigint[], bigint[], text[], text[], text[], text[], text[], text[], boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "audit_append"(text[], text[], text[], bigint[], bigint[], text[], text[], text[], text[], text[], text[], boolean, boolean) TO claviger_app;

INSERT INTO "audit_heads" ("chain", "hash") VALUES ('system', decode(repeat('00', 32), 'hex'));
