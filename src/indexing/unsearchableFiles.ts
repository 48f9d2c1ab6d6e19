/** File names that say by themselves that reading the file is of no use to a search. All in lower case. */

function table(groups: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(groups).flatMap(([what, endings]) => endings.split(' ').map((ending) => [ending, what] as const)),
  );
}

/** Ending → what such a file is. Only endings that no text format shares. */
export const BINARY_EXTENSIONS = table({
  image:
    'png jpg jpeg gif bmp ico icns webp avif heic heif tif tiff psd psb xcf sketch fig cr2 nef dds tga ktx ktx2 exr hdr jp2 jxl astc pvr',
  video: 'mp4 m4v mov avi mkv webm wmv flv mpg mpeg ogv 3gp',
  audio: 'mp3 wav flac ogg oga opus aac m4a wma aif aiff mid midi',
  font: 'ttf otf woff woff2 eot ttc pfb',
  archive:
    'zip gz tgz bz2 tbz2 xz txz 7z rar zst tzst lz4 br tar jar war ear aar apk ipa deb rpm dmg iso img cab msi whl egg gem nupkg vsix crx xpi asar appimage',
  'compiled program':
    'exe dll so dylib a lib o obj class pyc pyo pyd beam node wasm elf ko efi bin mo rlib rmeta pdb dex odex hi nib luac bc pch gch ilk',
  document: 'pdf doc docx xls xlsx ppt pptx odt ods odp odg epub mobi chm pages',
  database: 'sqlite sqlite3 db3 mdb accdb ibd myd myi ldb lance dbf',
  'data of numbers':
    'npy npz pkl pickle joblib h5 hdf5 parquet feather arrow orc rds rdata mat onnx pt pth ckpt safetensors gguf ggml tflite pb tfrecord mlmodel caffemodel',
  '3D model': 'fbx glb blend 3ds dwg skp stl c4d',
  'binary resource': 'swf resources pak cur ani lnk qm mmdb',
});

/** Ending → what such a file is, for files that are skipped when they are large. */
export const GENERATED_EXTENSIONS = table({
  'test snapshot': 'snap',
  'build log': 'log',
  'coverage data': 'lcov',
});

/** File name → the tool that writes it. */
export const LOCK_FILES: ReadonlyMap<string, string> = new Map([
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['.package-lock.json', 'npm'],
  ['yarn.lock', 'Yarn'],
  ['.pnp.cjs', 'Yarn'],
  ['.pnp.loader.mjs', 'Yarn'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['bun.lock', 'Bun'],
  ['bun.lockb', 'Bun'],
  ['deno.lock', 'Deno'],
  ['cargo.lock', 'Cargo'],
  ['go.sum', 'Go'],
  ['go.work.sum', 'Go'],
  ['gemfile.lock', 'Bundler'],
  ['composer.lock', 'Composer'],
  ['poetry.lock', 'Poetry'],
  ['pdm.lock', 'PDM'],
  ['uv.lock', 'uv'],
  ['pipfile.lock', 'Pipenv'],
  ['conda-lock.yml', 'conda-lock'],
  ['mix.lock', 'Mix'],
  ['rebar.lock', 'rebar3'],
  ['pubspec.lock', 'pub'],
  ['podfile.lock', 'CocoaPods'],
  ['cartfile.resolved', 'Carthage'],
  ['package.resolved', 'Swift Package Manager'],
  ['flake.lock', 'Nix'],
  ['gradle.lockfile', 'Gradle'],
  ['buildscript-gradle.lockfile', 'Gradle'],
  ['packages.lock.json', 'NuGet'],
  ['project.assets.json', 'NuGet'],
  ['stack.yaml.lock', 'Stack'],
  ['cabal.project.freeze', 'Cabal'],
  ['elm-stuff.json', 'Elm'],
  ['.terraform.lock.hcl', 'Terraform'],
  ['manifest.lock', 'a package manager'],
  ['module.bazel.lock', 'Bazel'],
  ['shard.lock', 'Shards'],
  ['lake-manifest.json', 'Lake'],
]);
