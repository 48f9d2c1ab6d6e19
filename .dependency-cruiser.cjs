/** The import rules of ARCHITECTURE.md ("Source layout and who may import whom"). */
const NODE = 'core';
const layer = (name) => `^src/${name}/`;
/** `from` may import only the layers and modules named; everything else is an error. */
const only = (from, layers, { node = false, packages = [] } = {}) => ({
  name: `${from}-imports-only-what-it-may`,
  severity: 'error',
  comment: `src/${from} may import ${layers.join(', ') || 'nothing of the project'}${node ? ', node:' : ''}${packages.length ? ', ' + packages.join(', ') : ''}`,
  from: { path: layer(from) },
  to: {
    pathNot: [layer(from), ...layers.map(layer), ...packages.map((name) => `(^|/)node_modules/${name}(/|$)`)],
    ...(node ? { dependencyTypesNot: [NODE] } : {}),
  },
});

// `vscode` resolves to its type package, so that is what a rule has to match.
const VSCODE = '@types/vscode';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('base', []),
    only('protocol', ['base']),
    only('embedding', ['base', 'protocol']),
    only('indexing', ['base', 'protocol'], { packages: ['web-tree-sitter', 'picomatch'] }),
    only('synthetic', ['base']),
    only('search', ['base', 'protocol'], { packages: ['picomatch'] }),
    only('process', ['base', 'protocol'], { node: true }),
    only('embedder', ['base', 'protocol', 'embedding', 'process'], {
      node: true,
      packages: ['onnxruntime-node', 'onnxruntime-common', '@huggingface/tokenizers'],
    }),
    only('server', ['base', 'protocol', 'embedding', 'indexing', 'search', 'process'], {
      node: true,
      packages: ['@lancedb/lancedb', 'apache-arrow', 'picomatch', 'web-tree-sitter'],
    }),
    only('host', ['base', 'protocol', 'process'], { node: true, packages: [VSCODE] }),
    only('webview', ['protocol'], {}),
    only('cli', ['base', 'protocol', 'embedding', 'synthetic', 'indexing', 'search', 'process', 'embedder', 'server'], {
      node: true,
      packages: ['commander'],
    }),
    {
      name: 'nothing-imports-the-edges',
      severity: 'error',
      comment: 'the composition root and the fronts are imported by nobody',
      from: { path: '^src/', pathNot: ['^src/extension\\.ts$', '^src/cli/', '^src/host/', '^src/webview/'] },
      to: { path: ['^src/extension\\.ts$', layer('cli'), layer('host'), layer('webview')] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
