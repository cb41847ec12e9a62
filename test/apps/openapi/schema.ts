// Written by openapi-typescript from /openapi.json: see check.mjs.

export interface paths {
    "/generate_uuid": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Generate UUIDs
         * @description UUIDs of version 4 (random) or 7 (in the order of time).
         */
        get: operations["generateUuid"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/generate_timestamp_id": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Generate timestamps
         * @description The milliseconds since 1970. Not unique: two requests at the same time get the same one.
         */
        get: operations["generateTimestampId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/generate_counter_id": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Generate counter values
         * @description The next values of the service's counter. Services with the same name and store share it.
         */
        get: operations["generateCounterId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/generate_snowflake_id": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Generate Snowflake IDs
         * @description Snowflake IDs of the service's layout and node, in ascending order.
         */
        get: operations["generateSnowflakeId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/generate_random_string/{length}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Generate random strings
         * @description Random strings of A-Z, a-z, 0-9, _ and -, with 6 bits of randomness in each character.
         */
        get: operations["generateRandomString"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/decode/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Decode a Snowflake ID
         * @description When and where a Snowflake ID was made, read with the layout of this service or a preset.
         */
        get: operations["decodeId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/capacity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the capacity of a layout
         * @description How long a layout lasts, how many nodes it has, and how many IDs each can make.
         */
        get: operations["getCapacity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idgenerator/{type}/id": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Issue numeric IDs
         * @description IDs of a type, each issued once. A request that is repeated with the same key gets the same IDs.
         */
        post: operations["issueNumericId"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idgenerator/{type}/id/validate/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Validate a numeric ID
         * @description Whether an ID keeps the rules of its type; not whether it was issued.
         */
        get: operations["validateNumericId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idgenerator/{type}/id/issued/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Look up whether a numeric ID was issued
         * @description Whether an ID was issued from the pool of its type, or imported into it.
         */
        get: operations["isNumericIdIssued"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idgenerator/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that numeric IDs can be issued
         * @description For clients of OpenG2P's ID generator. `/health` says more.
         */
        get: operations["getNumericHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idgenerator/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the version
         * @description The version of the service. The time and the commit of its build are unknown.
         */
        get: operations["getVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idgenerator/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the types and their rules
         * @description The types of numeric IDs, and the rules that all of them share.
         */
        get: operations["getNumericConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/idgenerator/uin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Issue an ID of the type uin
         * @description For clients of MOSIP's ID generator. A failure has the status 200 too, with `errors`.
         */
        get: operations["issueUin"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the health
         * @description The state of the stores, the generator, the lease and the pools. For readiness probes.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check that the process answers
         * @description Succeeds also while a store is down. For liveness probes.
         */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the metrics
         * @description Counters, histograms and gauges in the text format of Prometheus. If several processes answer on this port, those of all, with the label `worker`.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the state of the service
         * @description Node, lease, holders of nodes, pools, stores, limits, and counts since the start: the facts that the console shows. It counts in no rate limit.
         */
        get: operations["getStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the links of the service
         * @description Where the description and the health of the service are. Clients that prefer `text/html`, as browsers do, get the console.
         */
        get: operations["getLinks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the API reference
         * @description The reference of this API as a page, written from /openapi.json.
         */
        get: operations["getReference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read this document
         * @description The description of all routes, in OpenAPI 3.1.
         */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A problem document (RFC 9457). `code` is stable, `detail` is text for people. */
        Problem: {
            /** @constant */
            type: "about:blank";
            title: string;
            status: number;
            detail: string;
            code: string;
        };
    };
    responses: {
        /** @description The path, the query, a header or the body breaks a rule, which `detail` says. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Bad Request",
                 *       "status": 400,
                 *       "detail": "count must be a whole number from 1 to 1000, got \"0\".",
                 *       "code": "ERR_ARGUMENT"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request has no valid API key. */
        Unauthorized: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Unauthorized",
                 *       "status": 401,
                 *       "detail": "A valid API key is needed, as Authorization: Bearer or X-API-Key.",
                 *       "code": "ERR_UNAUTHORIZED"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The API key does not have the scope of the route. */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Forbidden",
                 *       "status": 403,
                 *       "detail": "The API key must have the scope issue.",
                 *       "code": "ERR_FORBIDDEN"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The `Accept` header does not admit the media type of the route. */
        NotAcceptable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Not Acceptable",
                 *       "status": 406,
                 *       "detail": "The route answers application/json only.",
                 *       "code": "ERR_NOT_ACCEPTABLE"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is larger than the service allows. */
        ContentTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Content Too Large",
                 *       "status": 413,
                 *       "detail": "The body must be at most 65536 bytes.",
                 *       "code": "ERR_CONTENT_TOO_LARGE"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A body must be `application/json`. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Unsupported Media Type",
                 *       "status": 415,
                 *       "detail": "A body must be application/json.",
                 *       "code": "ERR_UNSUPPORTED_MEDIA_TYPE"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No type can have this name, or no ID this form. */
        UnprocessableContent: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Unprocessable Content",
                 *       "status": 422,
                 *       "detail": "The ID must match ^\\d{1,32}$.",
                 *       "code": "ERR_ARGUMENT"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The client has no quota left, or its address has sent too many wrong API keys. */
        TooManyRequests: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Retry-After": components["headers"]["Retry-After"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Too Many Requests",
                 *       "status": 429,
                 *       "detail": "Too many requests.",
                 *       "code": "ERR_RATE_LIMITED"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service stops, its store is down, or no ID can be made at the moment. */
        ServiceUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Service Unavailable",
                 *       "status": 503,
                 *       "detail": "The store cannot be reached.",
                 *       "code": "ERR_BACKEND"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Any other failure. */
        Failure: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description The request's own, if it is valid; otherwise a new one, if the service has a log. */
        "X-Request-Id": string;
        /** @description After how many seconds the request may succeed. */
        "Retry-After": string;
        /** @description The scheme: `Bearer`. */
        "WWW-Authenticate": string;
        /** @description The rest of the quota, and after how many seconds there is more: `"service";r=9;t=6`. */
        RateLimit: string;
        /** @description The quota and its window in seconds: `"service";q=10;w=60`. */
        "RateLimit-Policy": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    generateUuid: {
        parameters: {
            query?: {
                /** @description How many. The response then has `ids`, and the rate limit counts each. Without it: one, as `id`. */
                count?: number;
                /** @description 4: random. 7: random, and in the order of time. */
                version?: 4 | 7;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        id?: string;
                        ids?: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    generateTimestampId: {
        parameters: {
            query?: {
                /** @description How many. The response then has `ids`, and the rate limit counts each. Without it: one, as `id`. */
                count?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id?: string;
                        ids?: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    generateCounterId: {
        parameters: {
            query?: {
                /** @description How many. The response then has `ids`, and the rate limit counts each. Without it: one, as `id`. */
                count?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id?: string;
                        ids?: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    generateSnowflakeId: {
        parameters: {
            query?: {
                /** @description How many. The response then has `ids`, and the rate limit counts each. Without it: one, as `id`. */
                count?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id?: string;
                        ids?: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    generateRandomString: {
        parameters: {
            query?: {
                /** @description How many. The response then has `ids`, and the rate limit counts each. Without it: one, as `id`. */
                count?: number;
            };
            header?: never;
            path: {
                /**
                 * @description How many characters. Times `count` at most 65536.
                 * @example 12
                 */
                length: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id?: string;
                        ids?: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    decodeId: {
        parameters: {
            query?: {
                /** @description A layout with its epoch. Without it: the layout of this service. */
                preset?: "twitter" | "minimal" | "single_dc" | "large_cluster" | "high_throughput" | "safe_integer" | "x" | "discord";
            };
            header?: never;
            path: {
                /**
                 * @description The ID, in decimal.
                 * @example 911780371413233664
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: string;
                        timestampMs: number;
                        generatedAt: string;
                        datacenterId: number;
                        machineId: number;
                        sequence: number;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    getCapacity: {
        parameters: {
            query?: {
                /** @description A layout with its epoch. Without it: the layout of this service. */
                preset?: "twitter" | "minimal" | "single_dc" | "large_cluster" | "high_throughput" | "safe_integer" | "x" | "discord";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        years: number;
                        expiresAt: string;
                        datacenters: number;
                        machinesPerDatacenter: number;
                        nodes: number;
                        idsPerTick: number;
                        idsPerSecond: number;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    issueNumericId: {
        parameters: {
            query?: {
                /** @description How many. The response then has `ids`, and the rate limit counts each. Without it: one, as `id`. */
                count?: number;
            };
            header?: {
                /**
                 * @description The key of the request, 1 to 255 characters: visible ASCII without double quotes, commas and backslashes; or printable ASCII in double quotes, with a backslash before each double quote and backslash.
                 * @example "form-41"
                 */
                "Idempotency-Key"?: string;
                /** @description The same, under an older name. If both headers are sent, their keys must be equal. */
                "X-Idempotency-Key"?: string;
            };
            path: {
                /**
                 * @description The name of the type.
                 * @example farmer
                 */
                type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    /** @description `true` if all IDs of the response were issued before, for the same key. */
                    "Idempotent-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: {
                            id?: string;
                            ids?: string[];
                        };
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description IDG-003: there is no such type. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "openg2p.idgenerator",
                     *       "version": "1.0",
                     *       "responsetime": "2026-11-21T00:49:40.605Z",
                     *       "response": null,
                     *       "errors": [
                     *         {
                     *           "errorCode": "IDG-003",
                     *           "message": "Unknown ID type 'goat'"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: null;
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            406: components["responses"]["NotAcceptable"];
            /** @description IDG-002: all IDs of the type are issued, or fewer are left than requested. */
            410: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "openg2p.idgenerator",
                     *       "version": "1.0",
                     *       "responsetime": "2026-11-21T00:49:40.605Z",
                     *       "response": null,
                     *       "errors": [
                     *         {
                     *           "errorCode": "IDG-002",
                     *           "message": "All IDs of type 'farmer' are issued"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: null;
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            /** @description IDG-001, IDG-005 or IDG-006: no ID can be issued now; retry. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "openg2p.idgenerator",
                     *       "version": "1.0",
                     *       "responsetime": "2026-11-21T00:49:40.605Z",
                     *       "response": null,
                     *       "errors": [
                     *         {
                     *           "errorCode": "IDG-006",
                     *           "message": "The database cannot be reached"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: null;
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    validateNumericId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of the type.
                 * @example farmer
                 */
                type: string;
                /**
                 * @description 1 to 32 digits.
                 * @example 8349257232
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: {
                            id: string;
                            valid: boolean;
                        };
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            /** @description IDG-003: there is no such type. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "openg2p.idgenerator",
                     *       "version": "1.0",
                     *       "responsetime": "2026-11-21T00:49:40.605Z",
                     *       "response": null,
                     *       "errors": [
                     *         {
                     *           "errorCode": "IDG-003",
                     *           "message": "Unknown ID type 'goat'"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: null;
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            406: components["responses"]["NotAcceptable"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    isNumericIdIssued: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The name of the type.
                 * @example farmer
                 */
                type: string;
                /**
                 * @description 1 to 32 digits.
                 * @example 8349257232
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: {
                            id: string;
                            issued: boolean;
                        };
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description IDG-003: there is no such type. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "openg2p.idgenerator",
                     *       "version": "1.0",
                     *       "responsetime": "2026-11-21T00:49:40.605Z",
                     *       "response": null,
                     *       "errors": [
                     *         {
                     *           "errorCode": "IDG-003",
                     *           "message": "Unknown ID type 'goat'"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: null;
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            406: components["responses"]["NotAcceptable"];
            422: components["responses"]["UnprocessableContent"];
            429: components["responses"]["TooManyRequests"];
            /** @description IDG-001, IDG-005 or IDG-006: no ID can be issued now; retry. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "openg2p.idgenerator",
                     *       "version": "1.0",
                     *       "responsetime": "2026-11-21T00:49:40.605Z",
                     *       "response": null,
                     *       "errors": [
                     *         {
                     *           "errorCode": "IDG-006",
                     *           "message": "The database cannot be reached"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: null;
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    getNumericHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: {
                            /** @constant */
                            status: "UP";
                        };
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            406: components["responses"]["NotAcceptable"];
            /** @description IDG-001, IDG-005 or IDG-006: no ID can be issued now; retry. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "openg2p.idgenerator",
                     *       "version": "1.0",
                     *       "responsetime": "2026-11-21T00:49:40.605Z",
                     *       "response": null,
                     *       "errors": [
                     *         {
                     *           "errorCode": "IDG-006",
                     *           "message": "The database cannot be reached"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: null;
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    getVersion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: {
                            service_version: string;
                            build_time: string;
                            git_commit: string;
                        };
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    getNumericConfig: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        id: "openg2p.idgenerator";
                        /** @constant */
                        version: "1.0";
                        /** Format: date-time */
                        responsetime: string;
                        response: {
                            id_types: {
                                [key: string]: {
                                    id_length: number;
                                    filter_rules: Record<string, never>;
                                };
                            };
                            filter_rules: Record<string, never>;
                        };
                        errors: {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            401: components["responses"]["Unauthorized"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    issueUin: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The key of the request, 1 to 255 characters: visible ASCII without double quotes, commas and backslashes; or printable ASCII in double quotes, with a backslash before each double quote and backslash.
                 * @example "form-41"
                 */
                "Idempotency-Key"?: string;
                /** @description The same, under an older name. If both headers are sent, their keys must be equal. */
                "X-Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    /** @description `true` if all IDs of the response were issued before, for the same key. */
                    "Idempotent-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        id: null;
                        version: null;
                        /** Format: date-time */
                        responsetime: string;
                        metadata: null;
                        response: null | {
                            uin: string;
                        };
                        errors: null | {
                            errorCode: string;
                            message: string;
                        }[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {unknown} */
                        status: "ok" | "degraded" | "failing" | "starting" | "stopping";
                        backend: {
                            /** @enum {unknown} */
                            status: "ok" | "failing";
                        };
                        generator: {
                            /** @enum {unknown} */
                            status: "ok" | "failing";
                        };
                        lease: null | {
                            /** @enum {unknown} */
                            status: "ok" | "failing";
                            node: number;
                            /** Format: date-time */
                            until: string;
                        };
                        pools: {
                            [key: string]: {
                                /** @enum {unknown} */
                                status: "ok" | "failing";
                                available: number | null;
                            };
                        };
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            406: components["responses"]["NotAcceptable"];
            /** @description The service is starting, failing or stopping. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Retry-After": components["headers"]["Retry-After"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "failing",
                     *       "backend": {
                     *         "status": "failing"
                     *       },
                     *       "generator": {
                     *         "status": "ok"
                     *       },
                     *       "lease": {
                     *         "status": "ok",
                     *         "node": 7,
                     *         "until": "2026-11-27T12:00:30.000Z"
                     *       },
                     *       "pools": {
                     *         "farmer": {
                     *           "status": "ok",
                     *           "available": 1000
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": {
                        /** @enum {unknown} */
                        status: "ok" | "degraded" | "failing" | "starting" | "stopping";
                        backend: {
                            /** @enum {unknown} */
                            status: "ok" | "failing";
                        };
                        generator: {
                            /** @enum {unknown} */
                            status: "ok" | "failing";
                        };
                        lease: null | {
                            /** @enum {unknown} */
                            status: "ok" | "failing";
                            node: number;
                            /** Format: date-time */
                            until: string;
                        };
                        pools: {
                            [key: string]: {
                                /** @enum {unknown} */
                                status: "ok" | "failing";
                                available: number | null;
                            };
                        };
                    };
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ok";
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            406: components["responses"]["NotAcceptable"];
            default: components["responses"]["Failure"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    getStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        version: string;
                        /** @enum {unknown} */
                        status: "ok" | "degraded" | "failing" | "starting" | "stopping";
                        startErrorCode: string | null;
                        /** Format: date-time */
                        time: string;
                        /** @description Of several processes, that of the youngest. */
                        uptimeMs: number;
                        layout: {
                            timestampBits: number;
                            datacenterBits: number;
                            machineBits: number;
                            sequenceBits: number;
                            epochMs: number;
                            tickMs: number;
                            capacity: {
                                years: number;
                                expiresAt: string;
                                datacenters: number;
                                machinesPerDatacenter: number;
                                nodes: number;
                                idsPerTick: number;
                                idsPerSecond: number;
                            };
                        };
                        node: null | {
                            datacenterId: number;
                            machineId: number;
                            isLeased: boolean;
                        };
                        generator: {
                            /** @enum {unknown} */
                            state: "ok" | "failing" | "slow";
                            errorCode: string | null;
                        };
                        lease: null | {
                            /** @enum {unknown} */
                            state: "held" | "lost" | "released";
                            node: number;
                            /** Format: date-time */
                            until: string;
                            /** Format: date-time */
                            renewedAt: string;
                            /** @description 0 unless the lease is held. */
                            msLeft: number;
                            /** @enum {unknown} */
                            clock: "store" | "client";
                            /** @description How far this process's clock is ahead of the store's. */
                            skewMs: number;
                            /** @description Renewals that failed since `renewedAt`. */
                            failures: number;
                            grants: number;
                            errorCode: string | null;
                        };
                        nodes: null | {
                            /** Format: date-time */
                            storeTime: string;
                            /** @enum {unknown} */
                            clock: "store" | "client";
                            /** @description Nodes that were ever leased. */
                            used: number;
                            /** @description Nodes with a lease that has not ended. */
                            held: number;
                            /** @description Nodes that were not released, at most 1,024. */
                            list: {
                                node: number;
                                datacenterId: number;
                                machineId: number;
                                holder: string;
                                /** Format: date-time */
                                from: string;
                                /** Format: date-time */
                                until: string;
                                isCurrent: boolean;
                                /** @description Whether this process holds it. */
                                isOwn: boolean;
                            }[];
                        };
                        stores: {
                            /** @enum {unknown} */
                            kind: "redis" | "postgres" | "sqlite" | "mysql" | "memory" | "cells";
                            uses: ("counters" | "limits" | "leases" | "pools")[];
                            /** @enum {unknown} */
                            state: "ok" | "failing" | "slow";
                            errorCode: string | null;
                        }[];
                        pools: {
                            type: string;
                            length: number;
                            /** @enum {unknown} */
                            state: "ok" | "failing" | "slow";
                            /** @description As many available IDs start a refill. */
                            lowMark: number;
                            /** @description As many available IDs end a refill. */
                            highMark: number;
                            /** @description Exact up to `highMark`; `highMark` + 1 if there are more; null if unknown. */
                            available: number | null;
                            taken: number | null;
                            /** @description How many more IDs can be issued. */
                            remaining: string | null;
                            /** @description Whether `remaining` is exact. */
                            isExact: boolean | null;
                            isFilling: boolean | null;
                            isExhausted: boolean | null;
                            errorCode: string | null;
                        }[];
                        /** @description How many processes answer on this port. `ids` and `requests` are their sums. */
                        processes: number;
                        /** @description IDs issued, by kind, since the start. */
                        ids: {
                            [key: string]: number;
                        };
                        requests: {
                            inFlight: number;
                            bucketBoundsMs: number[];
                            routes: {
                                /** @description Empty for requests that no route answered. */
                                route: string;
                                count: number;
                                /** @description Requests by class of status, such as `2xx`. */
                                classes: {
                                    [key: string]: number;
                                };
                                sumMs: number;
                                /** @description Requests by duration: up to each of `bucketBoundsMs`, and above the last. */
                                buckets: number[];
                            }[];
                        };
                        rateLimit: null | {
                            limit: number;
                            windowMs: number;
                            /** @enum {unknown} */
                            onStoreError: "fail" | "allow";
                        };
                        /** @description How many API keys are accepted; 0 if none is needed. */
                        apiKeys: number;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["ServiceUnavailable"];
            default: components["responses"]["Failure"];
        };
    };
    getLinks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        version: string;
                        docs: string;
                        openapi: string;
                        health: string;
                    };
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            406: components["responses"]["NotAcceptable"];
            default: components["responses"]["Failure"];
        };
    };
    getReference: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            406: components["responses"]["NotAcceptable"];
            default: components["responses"]["Failure"];
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Success. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        openapi: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            406: components["responses"]["NotAcceptable"];
            default: components["responses"]["Failure"];
        };
    };
}
