using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Transport;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Http1;

/// <summary>Answers that we give ourselves: errors with a short body, redirects, fixed responses.</summary>
internal static class Responses
{
    /// <summary>A malformed request: its status, and the end of the connection, since nobody knows where the next request begins.</summary>
    internal static ValueTask RejectAsync(Exchange exchange, EndReason reason, RejectionReason rejection)
    {
        exchange.Record.Rejection = rejection;
        exchange.KeepClientAlive = false;
        return ErrorAsync(exchange, Rejections.StatusOf(rejection), reason);
    }

    /// <summary>An error status with its name as body.</summary>
    internal static ValueTask ErrorAsync(Exchange exchange, int status, EndReason reason, int retryAfterSeconds = 0)
    {
        string text = $"{status} {ReasonPhrase(status)}\n";
        string extra = retryAfterSeconds > 0 ? $"Retry-After: {retryAfterSeconds}\r\n" : "";
        return SendAsync(exchange, status, reason, $"Content-Type: text/plain; charset=utf-8\r\n{extra}", Encoding.ASCII.GetBytes(text));
    }

    /// <summary>What a policy answers in the place of a destination.</summary>
    internal static ValueTask PolicyAnswerAsync(Exchange exchange, PolicyAnswer answer)
    {
        if (answer.IsPlain) return ErrorAsync(exchange, answer.Status, answer.Reason);
        var fields = new StringBuilder();
        for (int i = 0; i < answer.Fields.Count; i++)
            fields.Append(Encoding.ASCII.GetString(answer.Fields.NameAt(i))).Append(": ").Append(Encoding.Latin1.GetString(answer.Fields.ValueAt(i))).Append("\r\n");
        return SendAsync(exchange, answer.Status, answer.Reason, fields.ToString(), answer.Body);
    }

    /// <summary>Nobody tunnels through us (RFC 9110 §9.3.6, §15.5.6).</summary>
    internal static ValueTask ConnectRefusedAsync(Exchange exchange)
    {
        exchange.KeepClientAlive = false;
        return SendAsync(exchange, 405, EndReason.MethodRefused,
            "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\nContent-Type: text/plain; charset=utf-8\r\n", "405 Method Not Allowed\n"u8.ToArray());
    }

    /// <summary>OPTIONS or TRACE that may not be forwarded further (RFC 9110 §7.6.2).</summary>
    internal static ValueTask FinalRecipientAsync(Exchange exchange)
    {
        RequestHead request = exchange.Request;
        if (request.Method == RequestMethod.Options)
            return SendAsync(exchange, 200, EndReason.Responded, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE\r\n", default);
        // RFC 9110 §9.3.8: the request as received, without what must stay between client and server.
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        var body = new ArrayBufferWriter<byte>(request.Length);
        body.Write(bytes[request.MethodStart..request.FieldsStart]);
        for (int i = 0; i < request.FieldCount; i++)
        {
            FieldLine field = request.Fields[i];
            ReadOnlySpan<byte> name = bytes.Slice(field.NameStart, field.NameLength);
            if (Ascii.EqualsIgnoreCase(name, "cookie"u8) || Ascii.EqualsIgnoreCase(name, "authorization"u8) || field.Known == KnownField.ProxyAuthorization) continue;
            body.Write(bytes[field.NameStart..field.LineEnd]);
        }
        body.Write("\r\n"u8);
        return SendAsync(exchange, 200, EndReason.Responded, "Content-Type: message/http\r\n", body.WrittenSpan.ToArray());
    }

    /// <summary>A route's redirect or fixed answer.</summary>
    internal static ValueTask RouteAnswerAsync(Exchange exchange, ReadOnlySpan<byte> path)
    {
        RouteConfig route = exchange.Route!.Config;
        if (route.Redirect is { } redirect)
        {
            ReadOnlySpan<byte> bytes = exchange.Head.Span;
            RequestHead request = exchange.Request;
            ReadOnlySpan<byte> host = bytes.Slice(request.AuthorityStart, request.AuthorityLength);
            // RFC 9110 §4.2.1: no URI with an empty host. Only HTTP/1.0 can come without one.
            if (host.IsEmpty && redirect.To.Contains("{host}", StringComparison.Ordinal)) return RejectAsync(exchange, EndReason.BadRequest, RejectionReason.MissingHost);
            string location = RedirectLocation.Expand(redirect.To, host, path, bytes.Slice(request.QueryStart, request.QueryLength));
            return SendAsync(exchange, redirect.Status, EndReason.Responded, $"Location: {location}\r\n", default);
        }
        RespondConfig respond = route.Respond!;
        var fields = new StringBuilder();
        if (respond.Body.Length > 0) fields.Append("Content-Type: ").Append(respond.ContentType).Append("\r\n");
        foreach ((string name, string value) in respond.Headers)
        {
            // RFC 6797 §7.1: one, and the listener's goes before a route's.
            if (exchange.Client.Listener.StrictTransportLine.Length > 0 && name.Equals("Strict-Transport-Security", StringComparison.OrdinalIgnoreCase)) continue;
            fields.Append(name).Append(": ").Append(value).Append("\r\n");
        }
        return SendAsync(exchange, respond.Status, EndReason.Responded, fields.ToString(), Encoding.UTF8.GetBytes(respond.Body));
    }

    /// <summary>
    /// The same resource at the listener that speaks TLS. 308 as by routes: the method and its body are kept, where clients make a GET of it for 301 (RFC 9110 §15.4.2).
    /// </summary>
    internal static ValueTask ToHttpsAsync(Exchange exchange, ListenerSnapshot secure, ReadOnlySpan<byte> path)
    {
        ReadOnlySpan<byte> bytes = exchange.Head.Span;
        RequestHead request = exchange.Request;
        ReadOnlySpan<byte> host = RedirectLocation.WithoutPort(bytes.Slice(request.AuthorityStart, request.AuthorityLength));
        if (host.IsEmpty) return RejectAsync(exchange, EndReason.BadRequest, RejectionReason.MissingHost); // HTTP/1.0
        string location = RedirectLocation.Https(host, secure.UrlPort, path, bytes.Slice(request.QueryStart, request.QueryLength));
        return SendAsync(exchange, 308, EndReason.Responded, $"Location: {location}\r\n", default);
    }

    /// <summary>What a certification authority is to find here (RFC 8555 §8.3).</summary>
    internal static ValueTask ChallengeAsync(Exchange exchange, byte[] answer) => SendAsync(exchange, 200, EndReason.Responded, "Content-Type: application/octet-stream\r\n", answer);

    // Not on the hot path: it may allocate.
    private static async ValueTask SendAsync(Exchange exchange, int status, EndReason reason, string fields, ReadOnlyMemory<byte> body)
    {
        exchange.Record.Status = status;
        exchange.Record.Reason = reason;
        if (!exchange.IsUploadDone || exchange.IsUploadStreamed) exchange.KeepClientAlive = false; // the body is in the way of the next request
        TransportWriter output = exchange.Client.Transport.Output;
        bool hasBody = status is not (204 or 304);
        bool keepAlive = exchange.KeepClientAlive;
        string connection = !keepAlive ? "Connection: close\r\n" : exchange.Request.MinorVersion == 0 ? "Connection: keep-alive\r\n" : "";
        string length = hasBody ? $"Content-Length: {body.Length}\r\n" : "";
        byte[] head = Encoding.Latin1.GetBytes($"HTTP/1.1 {status} {ReasonPhrase(status)}\r\n{Encoding.ASCII.GetString(exchange.Context.DateLine)}{fields}{RateLimitFields(exchange)}{exchange.Client.Listener.RequestIds.Line(exchange.Record)}{length}{Encoding.ASCII.GetString(exchange.Client.Listener.StrictTransportLine)}{connection}\r\n");
        output.Write(head);
        if (!hasBody || exchange.Request.Method == RequestMethod.Head) body = default;
        exchange.Record.ResponseBodyBytes = body.Length;
        exchange.IsResponseStarted = true;
        if (!keepAlive) output.EndFollows();
        await exchange.WhileClientTakesAsync(output.WriteAsync(body)).ConfigureAwait(false);
        if (exchange.Client.Transport.Fault != TransportFault.None)
        {
            exchange.KeepClientAlive = false;
            if (exchange.FailReason is EndReason.ClientWriteTimeout or EndReason.ClientTooSlow) exchange.Record.Reason = exchange.FailReason;
        }
    }

    private static string RateLimitFields(Exchange exchange) => exchange.Limits is { } limits ? Encoding.ASCII.GetString(limits.Fields) : "";

    /// <summary>The status for what went wrong before a response began; 0 where nobody is left to be told.</summary>
    internal static int StatusOf(EndReason reason) => reason switch
    {
        EndReason.BadRequestBody => 400,
        EndReason.RequestBodyTimeout => 408,
        EndReason.RequestBodyTooLarge => 413,
        EndReason.PolicyFailed => 500,
        EndReason.NoDestination or EndReason.UpstreamOverloaded or EndReason.QueueFull or EndReason.QueueTimeout or EndReason.ResourceExhausted or EndReason.PolicyUnavailable => 503,
        EndReason.UpstreamConnectTimeout or EndReason.UpstreamHeadTimeout or EndReason.UpstreamIdleTimeout or EndReason.DeadlineExceeded or EndReason.PolicyTimeout => 504,
        EndReason.ClientAborted or EndReason.ClientWriteTimeout or EndReason.ClientTooSlow or EndReason.Shutdown => 0,
        _ => 502,
    };

    internal static string ReasonPhrase(int status) => status switch
    {
        200 => "OK", 201 => "Created", 202 => "Accepted", 204 => "No Content", 206 => "Partial Content",
        301 => "Moved Permanently", 302 => "Found", 303 => "See Other", 304 => "Not Modified", 307 => "Temporary Redirect", 308 => "Permanent Redirect",
        400 => "Bad Request", 401 => "Unauthorized", 403 => "Forbidden", 404 => "Not Found", 405 => "Method Not Allowed", 408 => "Request Timeout", 409 => "Conflict",
        410 => "Gone", 411 => "Length Required", 412 => "Precondition Failed", 413 => "Content Too Large", 414 => "URI Too Long", 415 => "Unsupported Media Type", 417 => "Expectation Failed", 418 => "I'm a teapot", 421 => "Misdirected Request", 422 => "Unprocessable Content", 428 => "Precondition Required", 429 => "Too Many Requests",
        431 => "Request Header Fields Too Large", 451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error", 501 => "Not Implemented", 502 => "Bad Gateway", 503 => "Service Unavailable", 504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Status",
    };
}
