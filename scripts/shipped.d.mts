/** See shipped.mjs. */
export function shippedPackages(file?: string): {
  path: string;
  name: string;
  version: string;
  licence: string | undefined;
  integrity: string;
  optional: boolean;
  needs: string[];
}[];
