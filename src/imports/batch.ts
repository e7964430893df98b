import { changesBetween, record } from '../audit/record.js';
import type { Actor } from '../auth/actor.js';
import { creatorOf } from '../auth/created-by.dto.js';
import { requireHeld } from '../auth/grant.js';
import { newPersonId } from '../crypto/id.js';
import type { Tx } from '../database/database.service.js';
import { type FieldError, Problem } from '../http/problem.js';
import { findRoles, type FoundRole, unknownRole } from '../roles/find-role.js';
import type { Attributes } from '../users/attributes.js';
import { aboutMember, type Member, MEMBER_INCLUDE } from '../users/member.js';
import { checkRoleChange, lockOwnership, saveMember } from '../users/users.service.js';
import type { RowResult, UserImportRow } from './imports.dto.js';

/** A row that is well-formed. */
export interface ValidRow {
  line: number;
  /** In lower case; no other row of the batch has it. */
  email: string;
  row: UserImportRow;
}

/** What a batch is to be done with. */
export interface BatchContext {
  actor: Actor;
  organizationId: string;
  validateOnly: boolean;
}

/** Somebody else made a member of a row's person in the same moment; the batch is to be done again. */
export class MemberRacedError extends Error {
  override readonly name = 'MemberRacedError';
}

type Outcome = Pick<RowResult, 'status' | 'userId' | 'errors'>;

/**
 * Does the work of some rows in the caller's transaction, by the rules for single users: a row that may not be done fails
 * by itself. Answers the rows' outcomes in their order. Errors: {@link MemberRacedError}; those of the database.
 */
export async function importBatch(
  tx: Tx,
  context: BatchContext,
  rows: readonly ValidRow[],
): Promise<RowResult[]> {
  const members = await readMembers(tx, context, rows);
  const keys = [...members.values()].map(({ roleKey }) => roleKey);
  keys.push(...rows.map(({ row }) => row.role));
  const roles = await findRoles(tx, context.organizationId, keys);
  const outcomes = new Map<ValidRow, Outcome>();
  const wanted: ValidRow[] = [];
  for (const row of rows) {
    const member = members.get(row.email);
    const work = member
      ? () => update(tx, context, member, row.row)
      : () => requireGrantable(context.actor, roles.get(row.row.role));
    const outcome = await orFailure(work, member?.userId ?? null);
    if (outcome === undefined) wanted.push(row);
    else outcomes.set(row, outcome);
  }
  const created = await create(tx, context, context.validateOnly ? [] : wanted);
  for (const row of wanted) {
    outcomes.set(row, { status: 'created', userId: created.get(row.email) ?? null, errors: [] });
  }
  return rows.map((row) => ({ line: row.line, email: row.email, ...outcomes.get(row)! }));
}

/** The outcome of a row that fails for a problem. Its pointers lead into the row. */
export function failure(problem: Problem, userId: string | null = null): Outcome {
  const { code, detail, extra } = problem;
  const errors: FieldError[] = extra?.errors ?? [{ pointer: pointerOf(code), code, detail }];
  return { status: 'failed', userId, errors };
}

const ROLE_CODES = new Set(['own_role', 'last_owner', 'grant_exceeds_permissions']);

function pointerOf(code: string): string {
  return ROLE_CODES.has(code) ? '/role' : '';
}

async function orFailure<T>(
  work: () => Promise<T> | T,
  userId: string | null,
): Promise<T | Outcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) return failure(error, userId);
    throw error;
  }
}

function requireGrantable(actor: Actor, role: FoundRole | undefined): undefined {
  if (role === undefined) throw unknownRole('/role');
  requireHeld(actor, role.permissions);
}

/** The members whom the rows are about, by e-mail; locked as a single change locks them, unless nothing will change. */
async function readMembers(
  tx: Tx,
  { organizationId, validateOnly }: BatchContext,
  rows: readonly ValidRow[],
): Promise<Map<string, Member>> {
  // People first and then their memberships: a join may read the whole organization where nobody gathers statistics.
  const people = await tx.user.findMany({
    where: { email: { in: rows.map(({ email }) => email) } },
    select: { id: true },
  });
  const userId = { in: people.map(({ id }) => id) };
  if (!validateOnly) {
    await lockOwnership(tx, organizationId);
    await lockMembers(tx, organizationId, userId.in);
  }
  const members = await tx.membership.findMany({
    where: { organizationId, userId },
    include: MEMBER_INCLUDE,
  });
  return new Map(members.map((member) => [member.user.email, member]));
}

/** In one order, like all that locks several. */
async function lockMembers(tx: Tx, organizationId: string, ids: string[]): Promise<void> {
  await tx.$queryRaw`SELECT user_id FROM memberships
    WHERE organization_id = ${organizationId}
      AND user_id = ANY (ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb)))
    ORDER BY user_id FOR UPDATE`;
}

async function update(
  tx: Tx,
  { actor, validateOnly }: BatchContext,
  before: Member,
  { role, attributes = before.attributes as Attributes }: UserImportRow,
): Promise<Outcome> {
  const { userId } = before;
  if (role !== before.roleKey) await checkRoleChange(tx, actor, before, role);
  const old = { role: before.roleKey, attributes: before.attributes as Attributes };
  const changes = changesBetween(old, { role, attributes }, ['role', 'attributes']);
  if (changes === undefined) return { status: 'unchanged', userId, errors: [] };
  if (!validateOnly) {
    const member = await saveMember(tx, before, { roleKey: role, attributes });
    record(tx, actor, 'user.updated', { ...aboutMember(member), changes });
  }
  return { status: 'updated', userId, errors: [] };
}

/** Makes members, and the persons where nobody has an e-mail yet, in few statements. Answers their ids by e-mail. */
async function create(
  tx: Tx,
  { actor, organizationId }: BatchContext,
  rows: readonly ValidRow[],
): Promise<Map<string, string>> {
  if (rows.length === 0) return new Map();
  const persons = rows.map(({ email, row }) => ({ id: newPersonId(), email, name: row.name }));
  const found = await tx.$queryRaw<{ email: string; id: string }[]>`
    SELECT p.email, find_or_create_person(p.id, p.email, p.name) AS id
    FROM (SELECT * FROM jsonb_to_recordset(${JSON.stringify(persons)}::jsonb)
      AS r(id text, email text, name text) ORDER BY email) p`;
  const ids = new Map(found.map(({ email, id }) => [email, id]));
  const { count } = await tx.membership.createMany({
    data: rows.map(({ email, row }) => ({
      organizationId,
      userId: ids.get(email)!,
      roleKey: row.role,
      attributes: row.attributes ?? {},
      ...creatorOf(actor),
    })),
    skipDuplicates: true,
  });
  if (count !== rows.length) throw new MemberRacedError();
  const members = await tx.membership.findMany({
    where: { organizationId, userId: { in: [...ids.values()] } },
    include: MEMBER_INCLUDE,
  });
  const byId = new Map(members.map((member) => [member.userId, member]));
  for (const { email } of rows) {
    record(tx, actor, 'user.created', aboutMember(byId.get(ids.get(email)!)!));
  }
  return ids;
}
