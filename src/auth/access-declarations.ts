import { Injectable, type OnModuleInit, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { settingsOf } from '../http/route.js';

/** Closed by default: a handler without `@Allow(...)` or `@Public()` stops the boot. */
@Injectable()
export class AccessDeclarations implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const undeclared = this.discovery
      .getControllers()
      .flatMap(({ instance }) => undeclaredHandlers(this.scanner, instance as object));
    if (undeclared.length > 0) {
      throw new Error(`routes without @Allow(...) or @Public(): ${undeclared.join(', ')}`);
    }
  }
}

function undeclaredHandlers(scanner: MetadataScanner, controller: object): string[] {
  const prototype = Object.getPrototypeOf(controller) as Record<string, object>;
  return scanner
    .getAllMethodNames(prototype)
    .filter((name) => {
      const handler = prototype[name] as object;
      const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
      if (verb === undefined) return false;
      const { access, isPublic } = settingsOf(handler);
      return access === undefined && isPublic === undefined;
    })
    .map((name) => `${controller.constructor.name}.${name}`);
}
