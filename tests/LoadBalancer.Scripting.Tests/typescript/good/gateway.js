/// <reference path="./lb.d.ts" />

const table = { admin: ["read", "write"], user: ["read"] };

/** @type {OnRequest} */
export async function onRequest(request, context) {
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: { Allow: "GET" } });
    const role = context.identity?.claims.role ?? "user";
    const known = Object.entries(table).find(([name]) => name === role);
    if (!known) return Response.json({ error: "unknown role" }, { status: 403 });
    request.headers.set("X-Role", role);
    request.headers.delete("Cookie");
    request.query.append("tenant", context.params.tenant ?? "none");
    request.query = "a=1";
    request.path = "/v2" + request.path;
    if (request.headers.has("Content-Type")) {
        const body = await request.json();
        request.setBody(JSON.stringify({ ...body, seen: Date.now() }));
    }
    const answer = await fetch("cluster:auth/check", { method: "POST", headers: [["X-A", "1"]], body: new Uint8Array([1]) });
    if (!answer.ok) return answer;
    const count = kv.increment("calls:" + context.client.address, 1, { ttl: 60 });
    if (count > 100) return new Response("slow down", { status: 429 });
    const signature = crypto.base64url(crypto.hmac("sha256", context.env.secret ?? "", await request.bytes()));
    if (!crypto.timingSafeEqual(signature, request.headers.get("X-Signature") ?? "")) context.log.set("signed", false);
    context.cluster = new URL(request.url).searchParams.has("beta") ? "beta" : "api";
    context.state = { started: Date.now() };
    console.info("passed", context.route, btoa(new TextDecoder().decode(new TextEncoder().encode("x"))));
}

/** @type {OnResponse} */
export async function onResponse(response, context) {
    response.headers.append("X-Took", String(Date.now() - context.state.started));
    if (response.fromCache || response.status !== 200) return;
    response.setBody((await response.text()).toUpperCase());
}

/** @type {OnRequestSync} */
export function forward(request) {
    return request.path === "/health" ? new Response("ok") : undefined;
}

/** @type {OnResponseSync} */
export function hide(response) {
    response.headers.delete("Server");
}
