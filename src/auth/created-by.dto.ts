import { ApiProperty } from '@nestjs/swagger';
import type { Actor } from './actor.js';

/** Who made it, with the name of that time. */
export class CreatedBy {
  @ApiProperty({ enum: ['user', 'serviceAccount', 'system'] })
  type: string;

  /** @example usr_01h455vb4pex5vsknk084sn02q */
  id: string | null;

  /** @example "Ada Lovelace" */
  name: string;
}

/** The columns in which a row keeps who made it. */
export interface CreatorColumns {
  createdByType: string;
  createdById: string | null;
  createdByName: string;
}

/** The columns for what this actor makes. */
export function creatorOf(actor: Actor): CreatorColumns {
  return { createdByType: actor.type, createdById: actor.id, createdByName: actor.name };
}

/** The columns as the API shows them. */
export function toCreatedBy(row: CreatorColumns): CreatedBy {
  return { type: row.createdByType, id: row.createdById, name: row.createdByName };
}
