import { code, type LanguageEntry } from './languageEntry.ts';

/** Files of tools that build, pack and serve; many are known by their name alone. */
export const BUILD_LANGUAGES: readonly LanguageEntry[] = [
  code('dockerfile', {
    aliases: ['docker', 'containerfile'],
    extensions: ['dockerfile', 'containerfile'],
    names: ['Dockerfile', 'Containerfile'],
    prefixes: ['dockerfile', 'containerfile'],
  }),
  code('dockercompose', { names: ['docker-compose.yml', 'docker-compose.yaml', 'compose.yml', 'compose.yaml'] }),
  code('makefile', {
    aliases: ['make', 'mk'],
    extensions: ['mk', 'mak', 'make'],
    names: ['Makefile', 'GNUmakefile', 'OCamlMakefile', 'BSDmakefile', 'Kbuild', 'Makefile.am', 'Makefile.in'],
    prefixes: ['makefile'],
    interpreters: ['make', 'gmake'],
  }),
  code('cmake', { extensions: ['cmake', 'cmake.in'], names: ['CMakeLists.txt'] }),
  code('meson', { names: ['meson.build', 'meson_options.txt', 'meson.options'] }),
  code('ninja', { extensions: ['ninja'] }),
  code('gn', { extensions: ['gn', 'gni'] }),
  code('just', {
    aliases: ['justfile'],
    extensions: ['just'],
    names: ['justfile', '.justfile'],
    interpreters: ['just'],
  }),
  code('earthfile', { aliases: ['earthly'], names: ['Earthfile'] }),
  code('procfile', { names: ['Procfile'], prefixes: ['procfile'] }),
  code('caddyfile', { names: ['Caddyfile'] }),
  code('nginx', { extensions: ['nginx', 'nginxconf', 'vhost'], names: ['nginx.conf', 'mime.types'] }),
  code('apacheconf', { extensions: ['htaccess', 'apacheconf'], names: ['.htaccess', 'httpd.conf'] }),
  code('pip-requirements', {
    aliases: ['requirements'],
    names: ['requirements.txt', 'constraints.txt', 'requirements.in', 'requirements-dev.txt', 'dev-requirements.txt'],
  }),
  code('autoconf', { aliases: ['m4'], extensions: ['ac', 'm4'], names: ['configure.ac', 'configure.in'] }),
  code('bazelrc', { names: ['.bazelrc', '.bazelversion'] }),
];
