export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'off'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values a log line may carry. File contents and query texts are never logged above `debug`. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface LogRecord {
  readonly level: Exclude<LogLevel, 'off'>;
  /** The part that speaks: `indexer`, `embedder`, … */
  readonly tag: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

export interface LogSink {
  readonly level: LogLevel;
  write(record: LogRecord): void;
}

/** A tagged logger. Cheap when its level is off: nothing is formatted before the sink asks for it. */
export class Logger {
  readonly #sink: LogSink;
  readonly #tag: string;

  constructor(sink: LogSink, tag: string) {
    this.#sink = sink;
    this.#tag = tag;
  }

  child(tag: string): Logger {
    return new Logger(this.#sink, tag);
  }

  isEnabled(level: LogRecord['level']): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#sink.level);
  }

  /** Passes on what a logger of another process said, under its own tag. */
  relay(record: LogRecord): void {
    if (this.isEnabled(record.level)) this.#sink.write(record);
  }

  trace(message: string, fields?: LogFields): void {
    this.#log('trace', message, fields);
  }
  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  #log(level: LogRecord['level'], message: string, fields: LogFields | undefined): void {
    if (this.isEnabled(level)) this.#sink.write({ level, tag: this.#tag, message, fields });
  }
}

export const SILENT_LOGGER = new Logger({ level: 'off', write: () => undefined }, 'silent');

/** One line of text for a record, without a time stamp: `[tag] message key=value`. */
export function formatLogRecord(record: LogRecord): string {
  const fields = Object.entries(record.fields ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
  return `[${record.tag}] ${record.message}${fields.join('')}`;
}
