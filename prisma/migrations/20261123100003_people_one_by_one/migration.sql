-- The same people are seen as before. But a subquery that could be hashed reads all memberships of an organization whenever
-- some people are looked up; with a LIMIT it is asked for each person, and answered by the primary key.
DROP POLICY "tenant" ON "users";
CREATE POLICY "tenant" ON "users" FOR SELECT TO claviger_app USING (
  (SELECT true FROM "memberships" m
    WHERE m."organization_id" = current_setting('app.organization_id', true) AND m."user_id" = "users"."id" LIMIT 1)
);
