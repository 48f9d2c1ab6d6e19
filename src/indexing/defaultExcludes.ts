/** What a folder holds that is nobody's source, however the ignore files read; any ignore file's `!name/` brings it back. */

/** Folders excluded by name, with the reason in a clause for a person. Only names that mean one thing. */
export const EXCLUDED_FOLDERS: ReadonlyMap<string, string> = new Map([
  ['node_modules', 'packages installed by npm'],
  ['bower_components', 'packages installed by Bower'],
  ['jspm_packages', 'packages installed by jspm'],
  ['.pnpm-store', "pnpm's package store"],
  ['.venv', 'Python virtual environment'],
  ['__pycache__', 'compiled Python'],
  ['.tox', "tox's environments"],
  ['.nox', "nox's environments"],
  ['.eggs', 'packages installed by setuptools'],
  ['.mypy_cache', "mypy's cache"],
  ['.pytest_cache', "pytest's cache"],
  ['.ruff_cache', "Ruff's cache"],
  ['.ipynb_checkpoints', "Jupyter's copies of notebooks"],
  ['.gradle', "Gradle's cache"],
  ['.terraform', 'providers installed by Terraform'],
  ['.next', 'built by Next.js'],
  ['.nuxt', 'built by Nuxt'],
  ['.svelte-kit', 'built by SvelteKit'],
  ['.parcel-cache', "Parcel's cache"],
  ['.turbo', "Turborepo's cache"],
  ['.angular', "Angular's cache"],
  ['.nyc_output', "nyc's coverage data"],
  ['.sass-cache', "Sass's cache"],
  ['.dart_tool', "Dart's tool state"],
  ['.stack-work', 'built by Stack'],
  ['dist-newstyle', 'built by Cabal'],
  ['elm-stuff', 'packages installed by Elm'],
  ['.bundle', 'packages installed by Bundler'],
  ['.direnv', "direnv's environment"],
  ['.vscode-test', 'VS Code downloaded for tests'],
  ['DerivedData', 'built by Xcode'],
]);

/** Files that mark their folder as not source, whatever its name; the folder is then not entered. */
export const MARKER_FILES: ReadonlyMap<string, string> = new Map([
  ['pyvenv.cfg', 'Python virtual environment'],
  // https://bford.info/cachedir/ ; Cargo puts one into `target`.
  ['CACHEDIR.TAG', 'marked as a cache by its CACHEDIR.TAG'],
]);

/** Version control's own folders (`.git` may be a file): never indexed, never brought back. */
export const REPOSITORY_INTERNALS: ReadonlySet<string> = new Set([
  '.git',
  '.hg',
  '.svn',
  '.jj',
  '.bzr',
  'CVS',
  '_darcs',
]);

/** A folder with all of these is a bare git repository: objects and refs, no sources. */
export const BARE_REPOSITORY = ['HEAD', 'objects', 'refs'] as const;
