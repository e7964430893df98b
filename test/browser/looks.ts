import { AxeBuilder } from '@axe-core/playwright';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { settled } from './browser.js';

const SCREENSHOTS = join(import.meta.dirname, 'screenshots');
const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
/** `npm run test:browser:full` */
const IS_FULL = process.env.PANEL_LOOKS === 'full';
const WIDE = { width: 1280, height: 800 };
/** The narrowest screen on which everything must work. */
const NARROW = { width: 360, height: 740 };
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];
/** What a theme changes: the rest is the same in all. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/**
 * Looks at the page as it stands, in both themes and on a narrow screen: takes pictures for people, in
 * `test/browser/screenshots`, and fails with what axe finds serious or critical, or when a narrow screen would have to be
 * scrolled sideways. Of a `part` that a selector names, it sees one theme and takes no pictures, unless the run is a full one.
 */
export async function look(page: Page, name: string, part?: string): Promise<void> {
  await settled(page);
  const isBrief = part !== undefined && !IS_FULL;
  const found: string[] = [];
  for (const theme of isBrief ? (['light'] as const) : THEMES) {
    await showIn(page, theme);
    if (!isBrief) await take(page, name, theme);
    found.push(...(await violationsOf(page, theme, part)));
  }
  await page.setViewportSize(NARROW);
  await showIn(page, 'light');
  if (!isBrief) await take(page, name, 'narrow');
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  if (width > NARROW.width) found.push(`It is ${width} wide on a narrow screen.`);
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: null });
  if (found.length > 0) throw new Error([`${name}, ${page.url()}:`, ...found].join('\n'));
}

async function take(page: Page, name: string, variant: string): Promise<void> {
  const words = name.toLowerCase().replace(/\W+/g, '-').replace(/^-|-$/g, '');
  const file = words || (name === '/' ? 'home' : 'anywhere-else');
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({
    path: join(SCREENSHOTS, `${file}-${variant}.png`),
    // Playwright hides the caret with a style element, which the policy of the pages refuses.
    caret: 'initial',
  });
}

async function violationsOf(page: Page, theme: Theme, part?: string): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode(); // Else it opens a page for each result.
  if (theme === 'light') axe.withTags(TAGS);
  else axe.withRules(OF_COLOURS);
  if (part) axe.include(part);
  const { violations, passes } = await axe.analyze();
  if (passes.length === 0) throw new Error('axe looked at nothing');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes, help }) => {
      const where = nodes.map(({ html, failureSummary }) => `  ${html}\n  ${failureSummary}`);
      return [`${id} (${impact}, ${theme}): ${help}`, ...where].join('\n');
    });
}

/** Switches the theme, and waits until no colour is on its way to another. */
async function showIn(page: Page, colorScheme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.evaluate(
    'Promise.allSettled(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).map((one) => one.finished)).then(() => undefined)',
  );
}
