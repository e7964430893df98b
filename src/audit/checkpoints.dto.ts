import { ApiProperty } from '@nestjs/swagger';
import type { Checkpoint, SignedCheckpoint } from './checkpoint.js';

/** Where a chain stood at a time. */
export class CheckpointDto implements Checkpoint {
  /**
   * Which database.
   * @example 0d4c8f4e-3c39-4d8e-a9d3-0c5f0c1f2a77
   */
  instance: string;

  /**
   * The organization's id, or `system` for the instance's own.
   * @example org_01h455vb4pex5vsknk084sn02q
   */
  chain: string;

  /** @example 4711 */
  @ApiProperty({ type: 'integer' })
  sequence: number;

  /**
   * Hex SHA-256 of the event with this sequence.
   * @example fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
   */
  hash: string;

  /** @example 2026-11-25T12:00:00.000Z */
  @ApiProperty({ format: 'date-time' })
  at: string;

  /** Only where an older backup was restored and that was accepted: how long the chain had been before. */
  @ApiProperty({ type: 'integer', required: false })
  setBackFrom?: number;
}

/** A checkpoint with its signature: `claviger verify --checkpoints` takes lines of them. */
export class SignedCheckpointDto implements SignedCheckpoint {
  checkpoint: CheckpointDto;

  /**
   * The public key, 32 bytes in base64url: the same for all checkpoints of this server.
   * @example 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
   */
  key: string;

  /**
   * Ed25519 (RFC 8032), 64 bytes in base64url.
   * @example 5VZDAMNgrHKQhuLMgG6CioSHfx64Tlvc7i4gqPIhLg6gyTlZ3Kd8uZ2r3yRSkYyPg0bTGvxlYmIrcqYj4rYFBw
   */
  signature: string;
}

/** A page of checkpoints, oldest first. */
export class CheckpointPage {
  data: SignedCheckpointDto[];

  @ApiProperty({
    type: 'object',
    properties: { next: { type: 'object', properties: { after: { type: 'string' } } } },
    example: {},
  })
  paging: { next?: { after: string } };
}
