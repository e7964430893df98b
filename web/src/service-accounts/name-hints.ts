const VAGUE =
  /^(?:(?:my|the|a|new|test|temp|tmp|demo|service|account|api|key|token|integration|bot|user|script|app|prod|production)[\s_-]*)+\d*$/i;

/** What would make a name easier to recognise at the next review; empty for a good one. */
export function nameHints(name: string): string[] {
  const trimmed = name.trim();
  if (trimmed === '') return [];
  const hints: string[] = [];
  if (VAGUE.test(trimmed)) {
    hints.push('Say what it connects, and what for: “Salesforce → user sync”.');
  } else if (trimmed.length < 5) {
    hints.push('A few more words help whoever reviews it in a year.');
  }
  if (/@|\b(?:mr|mrs)\b/i.test(trimmed)) {
    hints.push('Name the integration, not a person: people move on, it stays.');
  }
  return hints;
}
