import { ApiProperty } from '@nestjs/swagger';
import { ALL_PERMISSIONS } from '../auth/permissions.js';
import { ASSERTION_ALGORITHMS } from '../keys/public-jwk.js';

/** How clients may authenticate (RFC 6749 section 2.3, OpenID Connect Core section 9). */
const CLIENT_AUTHENTICATION = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** What a client has to know of this server (RFC 8414 section 2). */
export class AuthorizationServerMetadata {
  /** @example https://claviger.example.com */
  issuer: string;

  /** @example https://claviger.example.com/oauth/token */
  token_endpoint: string;

  /** @example https://claviger.example.com/.well-known/jwks.json */
  jwks_uri: string;

  /** @example https://claviger.example.com/oauth/introspect */
  introspection_endpoint: string;

  /** @example https://claviger.example.com/oauth/revoke */
  revocation_endpoint: string;

  /** The built-in permissions; organizations register further ones for their own APIs. */
  @ApiProperty({ type: [String], example: ['users:manage', 'tokens:introspect'] })
  scopes_supported: string[];

  /** None: nobody logs in here on somebody's behalf. */
  @ApiProperty({ type: [String], example: [] })
  response_types_supported: string[];

  @ApiProperty({ type: [String], example: ['client_credentials'] })
  grant_types_supported: string[];

  @ApiProperty({ type: [String], example: CLIENT_AUTHENTICATION })
  token_endpoint_auth_methods_supported: string[];

  @ApiProperty({ type: [String], example: ASSERTION_ALGORITHMS })
  token_endpoint_auth_signing_alg_values_supported: string[];

  @ApiProperty({ type: [String], example: [...CLIENT_AUTHENTICATION, 'Bearer'] })
  introspection_endpoint_auth_methods_supported: string[];

  @ApiProperty({ type: [String], example: ASSERTION_ALGORITHMS })
  introspection_endpoint_auth_signing_alg_values_supported: string[];

  @ApiProperty({ type: [String], example: CLIENT_AUTHENTICATION })
  revocation_endpoint_auth_methods_supported: string[];

  @ApiProperty({ type: [String], example: ASSERTION_ALGORITHMS })
  revocation_endpoint_auth_signing_alg_values_supported: string[];

  /** @example https://claviger.example.com/docs */
  service_documentation: string;
}

/** The metadata of the server at this origin. */
export function toMetadata(issuer: string): AuthorizationServerMetadata {
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    scopes_supported: [...ALL_PERMISSIONS],
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: [...CLIENT_AUTHENTICATION, 'Bearer'],
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    service_documentation: `${issuer}/docs`,
  };
}
