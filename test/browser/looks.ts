import { AxeBuilder } from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { settled } from './browser.js';

const SCREENSHOTS = join(import.meta.dirname, 'screenshots');
const THEMES = ['light', 'dark'] as const;
const WIDE = { width: 1280, height: 800 };
/** The narrowest screen on which everything must work. */
const NARROW = { width: 360, height: 740 };
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];
/** What a theme changes: the rest is the same in all. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/**
 * Takes pictures of the page as it stands (see {@link shoot}) and has it checked (see {@link expectAccessible}), or only the
 * `part` of it that a selector names.
 */
export async function look(page: Page, name: string, part?: string): Promise<void> {
  await settled(page);
  try {
    await shoot(
      page,
      (name === '/' ? 'home' : name).toLowerCase().replace(/\W+/g, '-').replace(/^-|-$/g, '') ||
        'anywhere-else',
    );
    await expectAccessible(page, part);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Fails with what axe finds serious or critical on the page as it stands, in either theme. */
async function expectAccessible(page: Page, part?: string): Promise<void> {
  const found: string[] = [];
  for (const colorScheme of THEMES) {
    await showIn(page, colorScheme);
    const axe = new AxeBuilder({ page }).setLegacyMode(); // Else it opens a page for each result.
    if (colorScheme === 'light') axe.withTags(TAGS);
    else axe.withRules(OF_COLOURS);
    if (part) axe.include(part);
    const { violations, passes } = await axe.analyze();
    if (passes.length === 0) throw new Error('axe looked at nothing');
    for (const { id, impact, nodes, help } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      const where = nodes.map(({ html, failureSummary }) => `  ${html}\n  ${failureSummary}`);
      found.push([`${id} (${impact}, ${colorScheme}): ${help}`, ...where].join('\n'));
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (found.length > 0) throw new Error(`${page.url()}\n${found.join('\n')}`);
}

/**
 * Takes pictures of the page as it stands, for people: light, dark and narrow, in `test/browser/screenshots`. Fails when a narrow
 * screen would have to be scrolled sideways.
 */
async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const take = (variant: string) =>
    // Playwright hides the caret with a style element, which the policy of the pages refuses.
    page.screenshot({ path: join(SCREENSHOTS, `${name}-${variant}.png`), caret: 'initial' });
  for (const colorScheme of THEMES) {
    await showIn(page, colorScheme);
    await take(colorScheme);
  }
  await page.setViewportSize(NARROW);
  await showIn(page, 'light');
  await take('narrow');
  await page.emulateMedia({ colorScheme: null });
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  await page.setViewportSize(WIDE);
  if (width > NARROW.width) throw new Error(`${page.url()} is ${width} wide on a narrow screen`);
}

/** Switches the theme, and waits until no colour is on its way to another. */
async function showIn(page: Page, colorScheme: (typeof THEMES)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.evaluate(
    'Promise.allSettled(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).map((one) => one.finished)).then(() => undefined)',
  );
}
