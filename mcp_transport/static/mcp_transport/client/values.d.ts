/**
 * What travels in messages, as the protocol has it.
 *
 * Spec: 2026-07-28 schema; what older revisions lack is optional.
 */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: any };

export type LogLevel =
  | "debug"
  | "info"
  | "notice"
  | "warning"
  | "error"
  | "critical"
  | "alert"
  | "emergency";

/** The params of `notifications/message`. */
export interface LogMessage {
  level: LogLevel;
  data: any;
  logger?: string;
}

/** The params of `notifications/progress`, without the token. */
export interface Progress {
  progress: number;
  total?: number;
  message?: string;
}

/** The params of `elicitation/create`; `mode` is absent for a form of old. */
export interface Elicitation {
  mode?: "form" | "url";
  message: string;
  requestedSchema?: JsonObject;
  url?: string;
  elicitationId?: string;
}

export interface ElicitationAnswer {
  action: "accept" | "decline" | "cancel";
  /** With `accept` of a form: what was filled in. */
  content?: JsonObject;
}

export interface Root {
  /** A `file://` URI. */
  uri: string;
  name?: string;
}

export interface Implementation {
  name: string;
  version: string;
  title?: string;
  [key: string]: any;
}

export interface Tool {
  name: string;
  title?: string;
  description?: string;
  inputSchema: JsonObject;
  outputSchema?: JsonObject;
  annotations?: {
    title?: string;
    readOnlyHint?: boolean;
    destructiveHint?: boolean;
    idempotentHint?: boolean;
    openWorldHint?: boolean;
  };
  [key: string]: any;
}

export interface Resource {
  uri: string;
  name: string;
  title?: string;
  description?: string;
  mimeType?: string;
  [key: string]: any;
}

export interface ResourceTemplate {
  uriTemplate: string;
  name: string;
  title?: string;
  description?: string;
  mimeType?: string;
  [key: string]: any;
}

export interface Prompt {
  name: string;
  title?: string;
  description?: string;
  arguments?: {
    name: string;
    title?: string;
    description?: string;
    required?: boolean;
  }[];
  [key: string]: any;
}

export interface ToolResult {
  content: JsonObject[];
  structuredContent?: any;
  /** The tool failed, and `content` says how. */
  isError?: boolean;
  [key: string]: any;
}

export interface ResourceResult {
  contents: {
    uri: string;
    mimeType?: string;
    text?: string;
    blob?: string;
    [key: string]: any;
  }[];
  [key: string]: any;
}

export interface PromptResult {
  description?: string;
  messages: { role: "user" | "assistant"; content: JsonObject }[];
  [key: string]: any;
}

export interface Completion {
  values: string[];
  total?: number;
  hasMore?: boolean;
}

export type Reference =
  { type: "ref/prompt"; name: string } | { type: "ref/resource"; uri: string };
