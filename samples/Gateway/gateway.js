// @ts-check

/** Nobody is called this. */
const reserved = ["root", "admin"];

/** @type {OnRequest} */
export async function onRequest(request, context) {
    if (request.method === "POST") {
        const user = await request.json();
        if (reserved.includes(String(user.firstName).toLowerCase())) return Response.json({ error: "that name is taken" }, { status: 409 });
    }
    request.headers.set("X-Audit", `${context.identity?.subject ?? "nobody"} ${request.method}`);
}

/** @type {OnResponseSync} */
export function onResponse(response) {
    response.headers.set("X-Gateway", "lb");
}
