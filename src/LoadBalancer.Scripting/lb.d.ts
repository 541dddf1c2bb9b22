// Types of the load balancer's scripts. Write "lb types -o lb.d.ts" beside a script and begin it with
//   // @ts-check
//   /// <reference path="./lb.d.ts" />
// Editors complete then, and "tsc --noEmit --checkJs --strict gateway.js" checks. Use "lib": ["es2023"]: what is of the browser is not there but for what stands here.

/** Whether a request goes on: nothing or the request itself for yes, a Response to answer it. */
type RequestResult = void | undefined | null | LbRequest | Response;

/** Whether an answer is sent on: nothing or the answer itself for yes, a Response to send that instead. */
type ResponseResult = void | undefined | null | LbResponse | Response;

/** What a script exports as `onRequest`, an async function: sees requests before cache and destinations do. */
type OnRequest = (request: LbRequest, context: LbContext) => Promise<RequestResult>;

/** The same without waiting for anything: what needs no `await` costs less. */
type OnRequestSync = (request: LbRequest, context: LbContext) => RequestResult;

/** What a script exports as `onResponse`, an async function: sees answers of destinations and of the cache before they are sent. */
type OnResponse = (response: LbResponse, context: LbContext) => Promise<ResponseResult>;

/** The same without waiting for anything. */
type OnResponseSync = (response: LbResponse, context: LbContext) => ResponseResult;

/** What content can be made of. A string is sent as UTF-8. Of an object, `JSON.stringify(object)`. */
type BodyInit = string | Uint8Array | ArrayBuffer | URLSearchParams | null | undefined;

/** What header fields can be made of. */
type HeadersInit = Headers | [string, string][] | Record<string, string>;

/** Bytes, or a string that stands for its UTF-8. */
type Data = string | Uint8Array | ArrayBuffer;

/** The request. What is changed of it is what the cache and the destination see. It cannot be changed in `onResponse`. */
interface LbRequest {
    /** Case-sensitive. HEAD can be neither set nor changed. */
    method: string;
    /** The whole URL, as far as the client's Host field can be believed. */
    readonly url: string;
    /** Host and port as the client has sent them; empty for none. */
    readonly host: string;
    /** In normal form and percent-encoded: what routes have matched. Set, it is brought into normal form. */
    path: string;
    /** The query. What is changed of it is changed of the request; a string or other parameters can be set. */
    get query(): URLSearchParams;
    set query(value: URLSearchParams | string);
    /** Header fields, without those of framing and connection. */
    readonly headers: Headers;
    /** The content as text. Waits until it has come; what is longer than `bodyBytesMax` is refused with 413. */
    text(): Promise<string>;
    /** The content, parsed as JSON. */
    json(): Promise<any>;
    /** The content. */
    bytes(): Promise<Uint8Array>;
    /** Gives the request other content. A string gets a Content-Type if there is none. */
    setBody(body: BodyInit): void;
}

/** An answer of a destination or of the cache. Its content streams by, unless it is read or set. */
interface LbResponse {
    /** 200 to 599. Content does not come or go with it: 204, 205 and 304 can be neither set nor changed. */
    status: number;
    /** Whether the status is 200 to 299. */
    readonly ok: boolean;
    /** Header fields, without those of framing and connection. */
    readonly headers: Headers;
    /** Whether it is from the cache. */
    readonly fromCache: boolean;
    /** The content as text. What is longer than `bodyBytesMax` becomes a 502. */
    text(): Promise<string>;
    /** The content, parsed as JSON. */
    json(): Promise<any>;
    /** The content, as it was sent where it is compressed. */
    bytes(): Promise<Uint8Array>;
    /** Gives the answer other content. */
    setBody(body: BodyInit): void;
}

/** What there is about a request beside itself. */
interface LbContext {
    /** The request. */
    readonly request: LbRequest;
    /** The cluster that the script has chosen; undefined for the route's. Settable in `onRequest`. */
    get cluster(): string | undefined;
    set cluster(name: string);
    /** Name of the route. */
    readonly route: string;
    /** Name of the listener. */
    readonly listener: string;
    /** Who the request is from, as an earlier policy has verified; null for nobody known. */
    readonly identity: LbIdentity | null;
    /** Variables of the route's path template: `id` of "/users/{id}". In `onResponse` none where the path was changed; see `state`. */
    readonly params: Record<string, string>;
    /** The client, behind trusted proxies too. */
    readonly client: LbClient;
    /** Constants of the configuration. */
    readonly env: Readonly<Record<string, string>>;
    /** The access log. */
    readonly log: LbLog;
    /** What `onRequest` leaves for `onResponse` of the same request. Kept as JSON, at most 64 KiB. */
    state: any;
}

/** Who a request is from. */
interface LbIdentity {
    /** How it was shown: "jwt", "api-key", "basic", …. */
    readonly scheme: string;
    /** Who it is; null where only claims are known. */
    readonly subject: string | null;
    /** What is claimed of it. */
    readonly claims: Record<string, any>;
}

/** Where a request is from. */
interface LbClient {
    /** IP address; empty for a Unix socket. */
    readonly address: string;
    /** 0 where a proxy told the address. */
    readonly port: number;
    /** Whether the connection is encrypted. */
    readonly encrypted: boolean;
}

/** Fields of the request's line in the access log. */
interface LbLog {
    /** Sets one: at most 32, of 1,024 characters each. */
    set(field: string, value: string | number | boolean): void;
}

/** Header fields; names in any case. A value has a byte for each character, as in Fetch. */
declare class Headers implements Iterable<[string, string]> {
    constructor(init?: HeadersInit);
    /** The value; of several lines, joined by ", ". Null for none. */
    get(name: string): string | null;
    has(name: string): boolean;
    set(name: string, value: string): void;
    append(name: string, value: string): void;
    delete(name: string): void;
    /** Values of Set-Cookie, which cannot be joined. */
    getSetCookie(): string[];
    /** By name, in small letters. */
    entries(): IterableIterator<[string, string]>;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    forEach(callback: (value: string, name: string, headers: Headers) => void): void;
    [Symbol.iterator](): IterableIterator<[string, string]>;
}

/** What a script answers with, or has fetched. */
declare class Response {
    /** @param init Status (default 200) and header fields. */
    constructor(body?: BodyInit, init?: { status?: number; headers?: HeadersInit });
    /** An answer with JSON. */
    static json(data: any, init?: { status?: number; headers?: HeadersInit }): Response;
    /** A redirect; 302 if nothing else is said. */
    static redirect(url: string, status?: 301 | 302 | 303 | 307 | 308): Response;
    readonly status: number;
    /** Whether the status is 200 to 299. */
    readonly ok: boolean;
    readonly headers: Headers;
    text(): Promise<string>;
    json(): Promise<any>;
    bytes(): Promise<Uint8Array>;
}

/** Parameters of a query. */
declare class URLSearchParams implements Iterable<[string, string]> {
    constructor(init?: string | URLSearchParams | [string, string][] | Record<string, string>);
    readonly size: number;
    get(name: string): string | null;
    getAll(name: string): string[];
    has(name: string, value?: string): boolean;
    set(name: string, value: string): void;
    append(name: string, value: string): void;
    delete(name: string, value?: string): void;
    sort(): void;
    entries(): IterableIterator<[string, string]>;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    forEach(callback: (value: string, name: string, parameters: URLSearchParams) => void): void;
    toString(): string;
    [Symbol.iterator](): IterableIterator<[string, string]>;
}

/** A URL of http or https; others are an error. */
declare class URL {
    constructor(url: string | URL, base?: string | URL);
    static canParse(url: string, base?: string): boolean;
    readonly href: string;
    readonly origin: string;
    /** "https:" */
    readonly protocol: string;
    readonly username: string;
    readonly password: string;
    /** With the port. */
    host: string;
    readonly hostname: string;
    /** Empty for the scheme's own. */
    readonly port: string;
    pathname: string;
    search: string;
    readonly searchParams: URLSearchParams;
    hash: string;
    toString(): string;
    toJSON(): string;
}

/** UTF-8. */
declare class TextEncoder {
    readonly encoding: "utf-8";
    encode(text?: string): Uint8Array;
}

/** UTF-8, whole texts. */
declare class TextDecoder {
    constructor(label?: "utf-8" | "utf8", options?: { fatal?: boolean });
    readonly encoding: "utf-8";
    readonly fatal: boolean;
    decode(bytes?: Uint8Array | ArrayBuffer): string;
}

/** Base64 to a string with a byte for each character. */
declare function atob(text: string): string;

/** A string with a byte for each character to Base64. */
declare function btoa(bytes: string): string;

/**
 * Asks a cluster of the configuration that the policy names among its `clusters`, through the balancer's own picks and pools: `fetch("cluster:auth/check?user=1")`. Any other
 * URL is an error. Bounded by `fetchesMax`, `fetchTimeout` and `fetchBytesMax`; a failure breaks the promise.
 */
declare function fetch(url: `cluster:${string}`, init?: { method?: string; headers?: HeadersInit; body?: BodyInit }): Promise<Response>;

/** State that all calls of the policy share, of this process and until it ends; bounded by `kvKeysMax` and `kvMemory`: when it is full, what was not used for longest goes. */
declare const kv: {
    /** The value; null where there is none, or it has expired. */
    get(key: string): string | number | null;
    /** @param options `ttl`: seconds until it expires. */
    set(key: string, value: string | number, options?: { ttl?: number }): void;
    /** Whether there was one. */
    delete(key: string): boolean;
    /** Adds to a number, of 0 where there is none, and says what it is then. `ttl` is that of a new one. Not torn between calls. */
    increment(key: string, by?: number, options?: { ttl?: number }): number;
};

/** Digests and random values; nothing of it is a promise. */
declare const crypto: {
    sha256(data: Data): Uint8Array;
    sha384(data: Data): Uint8Array;
    sha512(data: Data): Uint8Array;
    hmac(algorithm: "sha256" | "sha384" | "sha512", key: Data, data: Data): Uint8Array;
    /** Without padding. */
    base64url(data: Data): string;
    base64urlDecode(text: string): Uint8Array;
    /** In small letters. */
    hex(data: Data): string;
    /** Whether they are the same, in a time that does not tell where they differ. */
    timingSafeEqual(a: Data, b: Data): boolean;
    randomUUID(): string;
    /** At most 65,536. */
    randomBytes(count: number): Uint8Array;
};

/** Lines of the balancer's own log: at most 100 a second, of 1,024 characters each. */
declare const console: {
    debug(...values: any[]): void;
    log(...values: any[]): void;
    info(...values: any[]): void;
    warn(...values: any[]): void;
    error(...values: any[]): void;
};
