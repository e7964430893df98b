-- The events of a change, as a JSON array of objects, appended by the change's own transaction: all of them, or an
-- exception. Raising, and not answering, lets the server send it together with COMMIT, so that the head of the chain is
-- held for no longer than the commit takes.
CREATE FUNCTION "audit_append_change"(events jsonb, raise_epoch boolean) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  codes smallint[];
BEGIN
  SELECT audit_append(
    array_agg(e.chain ORDER BY e.n), array_agg(e.body ORDER BY e.n), array_agg(e.seal ORDER BY e.n),
    array_agg(NULL::bigint), array_agg(NULL::bigint),
    array_agg(e.action ORDER BY e.n), array_agg(e.outcome ORDER BY e.n),
    array_agg(e.actor_id ORDER BY e.n), array_agg(e.key_id ORDER BY e.n),
    array_agg(e.target_id ORDER BY e.n), array_agg(e.request_id ORDER BY e.n),
    true, raise_epoch) INTO codes
  FROM ROWS FROM (jsonb_to_recordset(events) AS (chain text, body text, seal text, action text, outcome text,
    actor_id text, key_id text, target_id text, request_id text)) WITH ORDINALITY
    AS e(chain, body, seal, action, outcome, actor_id, key_id, target_id, request_id, n);
  IF 0 <> ANY (codes) THEN
    RAISE EXCEPTION 'chain % took no events: codes %', events -> 0 ->> 'chain', codes;
  END IF;
END $$;
REVOKE ALL ON FUNCTION "audit_append_change"(jsonb, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION "audit_append_change"(jsonb, boolean) TO claviger_app;
