import { IsString } from 'class-validator';
import { Optional } from '../http/validators.js';

/** The request of RFC 7009 section 2.1. */
export class RevocationInput {
  /**
   * The token to be revoked: that of a key, or an access token.
   * @example clv_01h455vb4pex5vsknk084sn02q_5yFDxUo0mM4lRWDFnFvBEsFcCwBpqdmoeqeDDF8jG2f2ZVYrm
   */
  @IsString()
  token: string;

  /**
   * Ignored: the token itself tells what it is.
   * @example access_token
   */
  @Optional()
  @IsString()
  token_type_hint?: string;
}
