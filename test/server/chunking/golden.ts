/** Small files and the names their definitions must be found under, in order. */
export interface NamingCase {
  readonly language: string;
  readonly text: string;
  readonly definitions: readonly string[];
}

export const NAMING: readonly NamingCase[] = [
  {
    language: 'typescript',
    text: `import x from 'x';
export const limit = 3, { skipped } = x;
export const parse = (text: string) => { const inner = 1; return inner; };
export default async function run(): Promise<void> {}
function over(a: string): void;
function over(a: number): void;
function over(a: unknown) {}
@Injectable()
export class Router<T> extends Base {
  readonly field = 1;
  handler = async () => {};
  constructor(private readonly a: string) { super(); }
  get size() { return 1; }
  static #hidden() {}
}
export abstract class Shape { abstract area(): number; }
interface Props { onClick(): void; name: string }
export type Id = string;
export enum Color { Red }
declare namespace Outer { const value: number; }
declare module 'mod' { function inner(): void; }
export { parse as parseText };
`,
    definitions: [
      ...['limit', 'parse', 'run', 'over', 'Router', 'handler', 'constructor', 'size', '#hidden', 'Shape', 'area'],
      ...['Props', 'onClick', 'Id', 'Color', 'Outer', 'value', 'mod', 'inner'],
    ],
  },
  {
    language: 'typescriptreact',
    text: `export const Button: FC<Props> = ({ label }) => <b>{label}</b>;
export function App() { return <Button label="a" />; }
`,
    definitions: ['Button', 'App'],
  },
  {
    language: 'javascript',
    text: `'use strict';
const fs = require('fs');
exports.read = function read() {};
module.exports.write = () => {};
Stream.prototype.pipe = function (to) {};
module.exports = { close() {}, open: function () {}, plain: 3 };
function* walk() {}
class Node { static create() {} key = () => {} }
(function () { var inner = 1; function helper() {
  return inner;
} })();
`,
    definitions: ['fs', 'read', 'write', 'pipe', 'close', 'open', 'walk', 'Node', 'create', 'key', 'helper'],
  },
  {
    language: 'python',
    text: `import os
LIMIT = 3
type Pair = tuple[int, int]
@decorator
def outer(a):
    local = 1
    def inner():
        return local
    return inner
class Box(Base):
    size = 3
    @property
    def width(self):
        return 1
    @width.setter
    def width(self, value):
        pass
    async def load(self): ...
`,
    definitions: ['LIMIT', 'Pair', 'outer', 'inner', 'Box', 'width', 'load'],
  },
  {
    language: 'go',
    text: `package main
const (
	First = iota
	Second
)
var ErrGone = errors.New("gone")
type Router[T any] struct { routes []T }
type Handler interface { Serve(w Writer) }
type Name = string
func New() *Router[int] { x := 1; return nil }
func (r *Router[T]) Match(path string) bool { return false }
`,
    definitions: ['First', 'Second', 'ErrGone', 'Router', 'Handler', 'Serve', 'Name', 'New', 'Match'],
  },
  {
    language: 'rust',
    text: `mod other;
mod inner { pub fn deep() {} }
#[derive(Debug)]
pub struct Router<T> { a: T }
enum Kind { A }
trait Serve { fn serve(&self); }
impl<T> Serve for Router<T> { fn serve(&self) { let x = 1; } }
pub const LIMIT: usize = 3;
static GLOBAL: u8 = 1;
type Id = u64;
macro_rules! twice { ($a:expr) => { $a + $a }; }
pub async fn run() {}
union Bits { a: u32 }
`,
    definitions: [
      ...['inner', 'deep', 'Router', 'Kind', 'Serve', 'serve', 'LIMIT', 'GLOBAL', 'Id', 'twice', 'run', 'Bits'],
    ],
  },
  {
    language: 'java',
    text: `package a.b;
public class Router<T> extends Base {
  public static final int LIMIT = 3;
  private int plain = 1;
  public Router() {}
  @Override
  public <R> List<R> match(String path) { int local = 1; return null; }
  interface Visitor { void visit(); }
  enum Kind { A, B }
}
record Point(int x, int y) {}
@interface Marker {}
`,
    definitions: ['Router', 'LIMIT', 'match', 'Visitor', 'visit', 'Kind', 'Point', 'Marker'],
  },
  {
    language: 'c',
    text: `#ifndef FILE_H
#define FILE_H
#define LIMIT 3
#define MAX(a, b) ((a) > (b) ? (a) : (b))
struct node { int a; };
typedef struct { int b; } pair_t;
typedef int (*callback)(void *);
enum color { RED };
union both { int a; };
extern int declared(int a);
static const char *const names[] = { "a" };
static struct node *find(struct node *from) { int local = 1; return 0; }
int main(void) { return 0; }
#endif
`,
    definitions: ['LIMIT', 'MAX', 'node', 'pair_t', 'callback', 'color', 'both', 'names', 'find', 'main'],
  },
  {
    language: 'cpp',
    text: `namespace a::b {
template <class T> class Map : Base { public: void put(T t); int size() const { return 1; } ~Map(); };
template <class T> void Map<T>::put(T t) {}
bool operator==(const A& a, const B& b) { return true; }
using Id = int;
template <class T> concept Small = true;
enum class Kind { A };
auto run() -> int { auto f = [] { return 1; }; return f(); }
}
extern "C" { void plain(void) {} }
`,
    definitions: ['a::b', 'Map', 'size', 'put', 'operator==', 'Id', 'Small', 'Kind', 'run', 'plain'],
  },
  {
    language: 'csharp',
    text: `using System;
namespace A.B
{
  [Serializable]
  public class Router : Base
  {
    public const int Limit = 3;
    private int plain;
    public string Name { get; set; }
    public Router() {}
    public T Match<T>(string path) => default;
  }
  interface IVisitor { void Visit(); }
  record Point(int X);
  struct Pair {}
  enum Kind { A }
  delegate void Handler();
}
`,
    definitions: [
      ...['A.B', 'Router', 'Limit', 'Name', 'Match', 'IVisitor', 'Visit', 'Point', 'Pair', 'Kind', 'Handler'],
    ],
  },
  {
    language: 'ruby',
    text: `module Admin
  LIMIT = 3
  class Api::User < Base
    attr_reader :name
    def save!; end
    def self.find(id) = id
    class << self
      def all; end
    end
    define_method(:dynamic) { 1 }
  end
end
`,
    definitions: ['Admin', 'LIMIT', 'User', 'save!', 'find', 'all', 'dynamic'],
  },
  {
    language: 'php',
    text: `<?php
namespace App;
const VERSION = 1;
#[Route]
final class Router extends Base { const A = 1; public function match(string $path): bool { return true; } }
interface Visitor { public function visit(); }
trait Loud { }
enum Kind { case A; }
function helper() {}
`,
    definitions: ['App', 'VERSION', 'Router', 'A', 'match', 'Visitor', 'visit', 'Loud', 'Kind', 'helper'],
  },
  {
    language: 'kotlin',
    text: `package a.b
@Marker
data class Point(val x: Int) : Base() {
  companion object { const val LIMIT = 3 }
  val size get() = 1
  fun move() { val local = 1 }
}
interface Visitor { fun visit() }
enum class Kind { A }
object Single
fun <T> List<T>.second(): T = this[1]
typealias Id = Int
val top by lazy { 1 }
`,
    definitions: [...['Point', 'LIMIT', 'size', 'move', 'Visitor', 'visit', 'Kind', 'Single', 'second', 'Id', 'top']],
  },
  {
    language: 'swift',
    text: `import A
@objc public class Router: Base {
  var size: Int { 1 }
  init(a: Int) { let local = 1 }
  func match() {}
}
extension Router: P { func extra() {} }
protocol Serve { func serve() }
struct Pair {}
enum Kind { case a }
typealias Id = Int
func top() {}
`,
    definitions: ['Router', 'size', 'init', 'match', 'extra', 'Serve', 'serve', 'Pair', 'Kind', 'Id', 'top'],
  },
  {
    language: 'scala',
    text: `package a
object Main { def run(x: Int): Int = { val local = 1; x }
  val top = 1 }
trait Serve[F[_]] { def serve: F[Int] }
case class Point(x: Int) extends Base
enum Kind { case A }
given ordering: Ordering[Point] = ???
type Id = Int
extension (s: String) def shout = s
`,
    definitions: ['Main', 'run', 'top', 'Serve', 'serve', 'Point', 'Kind', 'ordering', 'Id', 'shout'],
  },
  {
    language: 'lua',
    text: `local M = {}
function M.parse(a) local inner = 1 end
function M:method() end
local function helper() end
M.assigned = function() end
local anonymous = function() end
return { key = function() end }
`,
    definitions: ['M', 'parse', 'method', 'helper', 'assigned', 'anonymous', 'key'],
  },
  {
    language: 'shellscript',
    text: `#!/bin/bash
parse_args() {
  echo
}
function usage { :; }
`,
    definitions: ['parse_args', 'usage'],
  },
  {
    language: 'powershell',
    text: `function Get-Thing { param($a) 1 }
class Box { [int] Size() { return 1 } }
enum Kind { A }
`,
    definitions: ['Get-Thing', 'Box', 'Size', 'Kind'],
  },
  {
    language: 'elixir',
    text: `defmodule App.Router do
  @moduledoc "x"
  @doc "y"
  @spec match(integer) :: integer
  def match(x) when x > 1, do: x
  def match(_), do: 0
  defp helper, do: 1
  defmacro twice(a) do
    a
  end
  def left <~> right, do: left
  test "works" do
    1
  end
end
defprotocol Sized do
  def size(x)
end
defimpl Sized, for: Map do
  def size(x), do: x
end
`,
    definitions: ['App.Router', 'match', 'helper', 'twice', '<~>', 'Sized', 'size'],
  },
  {
    language: 'zig',
    text: `const std = @import("std");
pub fn parse(a: u8) void { const local = a; _ = local; }
pub const Router = struct { x: u8, pub fn match(self: Router) void { _ = self; } };
const Kind = enum { a };
test "works" { }
`,
    definitions: ['std', 'parse', 'Router', 'match', 'Kind'],
  },
  {
    language: 'haskell',
    text: `module A.B where
-- | Parses.
parse :: Int -> Int
parse 0 = 1
parse n = helper n
  where helper x = x
limit = 3
data Shape = Circle { radius :: Int } | Square
newtype Name = Name String
type Id = Int
class Sized a where
  size :: a -> Int
instance Sized Shape where
  size _ = 1
(<+>) :: Int -> Int -> Int
a <+> b = a
`,
    definitions: ['parse', 'limit', 'Shape', 'Name', 'Id', 'Sized', 'size', '<+>'],
  },
  {
    language: 'ocaml',
    text: `let parse x = let local = 1 in x + local
let rec walk = function | 1 -> 2
module M = struct let inner = 1 end
type shape = Circle
class box = object method size = 1 end
`,
    definitions: ['parse', 'walk', 'M', 'inner', 'shape', 'box', 'size'],
  },
  {
    language: 'dart',
    text: `import 'a';
class Router extends Base {
  final int plain = 1;
  Router.named();
  bool match() { var local = 1; return true; }
  int get size => 1;
}
mixin Loud {}
extension Extra on Router { void extra() {} }
enum Kind { a }
typedef Id = int;
const limit = 1;
void main() {}
`,
    definitions: ['Router', 'match', 'size', 'Loud', 'Extra', 'extra', 'Kind', 'Id', 'limit', 'main'],
  },
  {
    language: 'solidity',
    text: `pragma solidity ^0.8.0;
contract Vault is Base {
  event Paid(uint a);
  modifier only() { _; }
  constructor() {}
  function pay() public { uint local = 1; }
  struct Entry { uint a; }
}
interface IVault { function pay() external; }
library Math {}
`,
    definitions: ['Vault', 'Paid', 'only', 'constructor', 'pay', 'Entry', 'IVault', 'Math'],
  },
];
