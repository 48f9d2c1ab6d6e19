/** The two kinds of content. Each may have a model of its own and always has a tuner state of its own. */
export const SCOPES = ['code', 'docs'] as const;
export type Scope = (typeof SCOPES)[number];

/** What a search may ask for. */
export type ScopeFilter = Scope | 'all';
