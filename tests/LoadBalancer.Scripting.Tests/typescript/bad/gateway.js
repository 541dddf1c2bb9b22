/// <reference path="./lb.d.ts" />

/** @type {OnRequest} */
export async function onRequest(request, context) {
    request.url = "http://other/"; // TS2540
    await fetch("https://example.com/"); // TS2345
    context.clusterr = "api"; // TS2551
    kv.set("a", {}); // TS2345
    return 5; // TS2322
}
