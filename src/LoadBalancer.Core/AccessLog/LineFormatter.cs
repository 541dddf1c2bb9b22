using System.Globalization;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.AccessLog;

/// <summary>Makes the line of a record. Allocates nothing; holds no state between lines. Any thread.</summary>
internal sealed class LineFormatter(AccessLogConfig config, TimeProvider time)
{
    private const int TargetBytesMax = 4096, FieldsMax = 32, HeaderBytesMax = 1024;
    private static readonly string[] Causes = Enum.GetNames<AttemptCause>(), Limits = Enum.GetNames<LimitOutcome>();
    private static readonly string[] Reasons = Enum.GetNames<EndReason>(), Caches = Enum.GetNames<CacheOutcome>(), Rejections = Enum.GetNames<Http.RejectionReason>();
    private readonly Redaction _redaction = new(config.Redact);
    private readonly AccessLogPiece[]? _pieces = config.Format == AccessLogFormat.Json ? null
        : [.. AccessLogTemplate.Parse(config.Template ?? AccessLogTemplate.Combined, out string? problem) ?? throw new ArgumentException($"The template {problem}", nameof(config))];

    /// <summary>Writes a line, with its line feed.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="record">Of what.</param>
    /// <param name="at">When the request ended; null for now.</param>
    internal void Write(ref LineWriter line, CompletionRecord record, DateTime? at = null)
    {
        line.At = at ?? time.GetUtcNow().UtcDateTime;
        if (_pieces is null) Json(ref line, record);
        else
        {
            foreach (AccessLogPiece piece in _pieces)
            {
                if (piece.Literal is { } literal) line.Raw(literal);
                else
                {
                    int before = line.Length;
                    Value(ref line, record, piece.Field, piece.InQuotes ? Escape.Text : Escape.Word);
                    if (line.Length == before) line.Raw((byte)'-');
                }
            }
        }
        line.Raw((byte)'\n');
    }

    private void Json(ref LineWriter line, CompletionRecord record)
    {
        line.Raw("{\"time\":\""u8);
        Value(ref line, record, AccessLogField.Time, Escape.Json);
        line.Raw((byte)'"');
        if (!record.RequestId.IsEmpty)
        {
            line.Raw(",\"id\":\""u8);
            line.Raw(record.RequestId.Span); // of harmless characters alone
            line.Raw((byte)'"');
        }
        if (!record.TraceId.IsEmpty)
        {
            line.Raw(",\"traceId\":\""u8);
            line.Raw(record.TraceId.Span);
            line.Raw((byte)'"');
        }
        Text(ref line, ",\"listener\":\""u8, record.Listener);
        Text(ref line, ",\"route\":\""u8, record.Route);
        if (record.Policies is { Count: > 0 } policies) Names(ref line, ",\"policies\":["u8, policies);
        Text(ref line, ",\"cluster\":\""u8, record.Cluster);
        Text(ref line, ",\"balance\":\""u8, record.Balance);
        Text(ref line, ",\"destination\":\""u8, record.Destination);
        line.Raw(",\"client\":\""u8);
        Value(ref line, record, AccessLogField.Client, Escape.Json);
        line.Raw("\",\"clientPort\":"u8);
        line.Number(record.Client.Port);
        if (record.ForwardedClient != default)
        {
            line.Raw(",\"forwardedClient\":\""u8);
            Value(ref line, record, AccessLogField.Forwarded_Client, Escape.Json);
            line.Raw((byte)'"');
        }
        if (record.Tls is { } tls)
        {
            Text(ref line, ",\"tls\":\""u8, tls.Protocol);
            Text(ref line, ",\"cipher\":\""u8, tls.Cipher);
            Text(ref line, ",\"serverName\":\""u8, tls.ServerName);
        }
        if (record.HttpMinorVersion >= 0) line.Raw(record.HttpMinorVersion == 0 ? ",\"protocol\":\"HTTP/1.0\""u8 : ",\"protocol\":\"HTTP/1.1\""u8);
        line.Raw(",\"method\":\""u8);
        Value(ref line, record, AccessLogField.Method, Escape.Json);
        line.Raw("\",\"target\":\""u8);
        Value(ref line, record, AccessLogField.Target, Escape.Json);
        if (!record.Referer.IsEmpty)
        {
            line.Raw("\",\"referer\":\""u8);
            Value(ref line, record, AccessLogField.Referer, Escape.Json);
        }
        if (!record.UserAgent.IsEmpty)
        {
            line.Raw("\",\"userAgent\":\""u8);
            Value(ref line, record, AccessLogField.User_Agent, Escape.Json);
        }
        line.Raw("\",\"status\":"u8);
        line.Number(record.Status);
        Text(ref line, ",\"end\":\""u8, Name(Reasons, (int)record.Reason));
        if (record.Rejection != default) Text(ref line, ",\"rejection\":\""u8, Name(Rejections, (int)record.Rejection));
        Text(ref line, ",\"refusedBy\":\""u8, record.RefusedBy);
        if (record.Limit != LimitOutcome.None) Text(ref line, ",\"limit\":\""u8, Name(Limits, (int)record.Limit));
        if (record.DryRunReason != EndReason.None) Text(ref line, ",\"dryRun\":\""u8, Name(Reasons, (int)record.DryRunReason));
        Text(ref line, ",\"dryRunPolicy\":\""u8, record.DryRunPolicy);
        Text(ref line, ",\"detail\":\""u8, record.Detail);
        Text(ref line, ",\"subject\":\""u8, record.Subject);
        if (record.Cache != CacheOutcome.None) Text(ref line, ",\"cache\":\""u8, Name(Caches, (int)record.Cache));
        Number(ref line, ",\"attempts\":"u8, record.Attempts);
        line.Raw(record.ConnectionReused ? ",\"reused\":true"u8 : ",\"reused\":false"u8);
        if (record.IsRetryDenied) line.Raw(",\"retryDenied\":true"u8);
        if (record.IsHedged) line.Raw(record.HasHedgeWon ? ",\"hedge\":\"won\""u8 : ",\"hedge\":\"lost\""u8);
        Text(ref line, ",\"hedgeLoser\":\""u8, record.HedgeLoser);
        Number(ref line, ",\"requestBytes\":"u8, record.RequestBodyBytes);
        Number(ref line, ",\"responseBytes\":"u8, record.ResponseBodyBytes);
        if (record.QueuedTicks > 0) Number(ref line, ",\"queuedUs\":"u8, Microseconds(record.QueuedTicks));
        if (record.ConnectTicks >= 0) Number(ref line, ",\"connectUs\":"u8, Microseconds(record.ConnectTicks));
        if (record.FirstByteTicks >= 0) Number(ref line, ",\"firstByteUs\":"u8, Microseconds(record.FirstByteTicks));
        Number(ref line, ",\"totalUs\":"u8, Microseconds(record.TotalTicks));
        if (record.AttemptRecordCount > 0) Attempts(ref line, record);
        if (record.Fields is { Count: > 0 } fields)
        {
            line.Raw(",\"fields\":{"u8);
            for (int i = 0; i < Math.Min(fields.Count, FieldsMax); i++)
            {
                line.Raw(i == 0 ? "\""u8 : ",\""u8);
                line.Text(fields[i].Key, Escape.Json);
                line.Raw("\":\""u8);
                if (_redaction.IsSecret(fields[i].Key)) line.Raw("***"u8);
                else line.Text(fields[i].Value, Escape.Json);
                line.Raw((byte)'"');
            }
            line.Raw((byte)'}');
        }
        if (record.Bodies is { } bodies)
        {
            Body(ref line, ",\"requestBody\":\""u8, ",\"requestBodyCut\":true"u8, bodies.Request, bodies.Rules.Redaction);
            Body(ref line, ",\"responseBody\":\""u8, ",\"responseBodyCut\":true"u8, bodies.Response, bodies.Rules.Redaction);
        }
        line.Raw((byte)'}');
    }

    private void Body(ref LineWriter line, ReadOnlySpan<byte> name, ReadOnlySpan<byte> cut, BodySample body, Redaction more)
    {
        if (body.Kind == BodyKind.None || body.Bytes.IsEmpty) return;
        line.Raw(name);
        BodyText.Write(ref line, body, _redaction, more);
        line.Raw((byte)'"');
        if (body.IsCut) line.Raw(cut);
    }

    // One attempt that went, and ended, as the request's own fields say needs no words of its own.
    private void Attempts(ref LineWriter line, CompletionRecord record)
    {
        ReadOnlySpan<AttemptRecord> attempts = record.AttemptRecords;
        if (attempts is [{ Cause: AttemptCause.First } only] && only.Reason == record.Reason && (only.Status == record.Status || only.Status == 0)) return;
        line.Raw(",\"tries\":["u8);
        for (int i = 0; i < attempts.Length; i++)
        {
            ref readonly AttemptRecord attempt = ref attempts[i];
            Text(ref line, i == 0 ? "{\"destination\":\""u8 : ",{\"destination\":\""u8, attempt.Destination);
            Text(ref line, ",\"cause\":\""u8, Name(Causes, (int)attempt.Cause));
            Text(ref line, ",\"end\":\""u8, attempt.Reason == EndReason.None ? "Cancelled" : Name(Reasons, (int)attempt.Reason));
            if (attempt.Status != 0) Number(ref line, ",\"status\":"u8, attempt.Status);
            line.Raw(attempt.ConnectionReused ? ",\"reused\":true"u8 : ",\"reused\":false"u8);
            Number(ref line, ",\"startUs\":"u8, Microseconds(attempt.StartTicks));
            if (attempt.ConnectTicks >= 0) Number(ref line, ",\"connectUs\":"u8, Microseconds(attempt.ConnectTicks));
            if (attempt.FirstByteTicks >= 0) Number(ref line, ",\"firstByteUs\":"u8, Microseconds(attempt.FirstByteTicks));
            Number(ref line, ",\"totalUs\":"u8, Microseconds(attempt.TotalTicks));
            line.Raw((byte)'}');
        }
        line.Raw((byte)']');
    }

    private static void Names(ref LineWriter line, ReadOnlySpan<byte> label, IReadOnlyList<string> names)
    {
        line.Raw(label);
        for (int i = 0; i < names.Count; i++)
        {
            line.Raw(i == 0 ? "\""u8 : ",\""u8);
            line.Text(names[i], Escape.Json);
            line.Raw((byte)'"');
        }
        line.Raw((byte)']');
    }

    private void Value(ref LineWriter line, CompletionRecord record, AccessLogField field, Escape escape)
    {
        switch (field)
        {
            case AccessLogField.Time: Time(ref line, "O"); break;
            case AccessLogField.Time_Local: Time(ref line, "dd/MMM/yyyy:HH:mm:ss '+0000'"); break;
            case AccessLogField.Listener: line.Text(record.Listener, escape); break;
            case AccessLogField.Route: line.Text(record.Route, escape); break;
            case AccessLogField.Cluster: line.Text(record.Cluster, escape); break;
            case AccessLogField.Destination: line.Text(record.Destination, escape); break;
            case AccessLogField.Client: Address(ref line, record.Client); break;
            case AccessLogField.Client_Port: line.Number(record.Client.Port); break;
            case AccessLogField.Forwarded_Client:
                if (record.ForwardedClient != default) Address(ref line, record.ForwardedClient);
                break;
            case AccessLogField.Method: line.Bytes(Head(record.Method.Span), escape); break;
            case AccessLogField.Target: _redaction.Target(ref line, Head(record.Target.Span), escape); break;
            case AccessLogField.Status: line.Number(record.Status); break;
            case AccessLogField.End: line.Text(Name(Reasons, (int)record.Reason), escape); break;
            case AccessLogField.Rejection:
                if (record.Rejection != default) line.Text(Name(Rejections, (int)record.Rejection), escape);
                break;
            case AccessLogField.Refused_By: line.Text(record.RefusedBy, escape); break;
            case AccessLogField.Dry_Run:
                if (record.DryRunReason != EndReason.None) line.Text(Name(Reasons, (int)record.DryRunReason), escape);
                break;
            case AccessLogField.Dry_Run_Policy: line.Text(record.DryRunPolicy, escape); break;
            case AccessLogField.Detail: line.Text(record.Detail, escape); break;
            case AccessLogField.Subject: line.Text(record.Subject, escape); break;
            case AccessLogField.Cache:
                if (record.Cache != CacheOutcome.None) line.Text(Name(Caches, (int)record.Cache), escape);
                break;
            case AccessLogField.Attempts: line.Number(record.Attempts); break;
            case AccessLogField.Reused: line.Raw(record.ConnectionReused ? (byte)'1' : (byte)'0'); break;
            case AccessLogField.Request_Bytes: line.Number(record.RequestBodyBytes); break;
            case AccessLogField.Response_Bytes: line.Number(record.ResponseBodyBytes); break;
            case AccessLogField.Queued_Us: line.Number(Microseconds(record.QueuedTicks)); break;
            case AccessLogField.Connect_Us:
                if (record.ConnectTicks >= 0) line.Number(Microseconds(record.ConnectTicks));
                break;
            case AccessLogField.First_Byte_Us:
                if (record.FirstByteTicks >= 0) line.Number(Microseconds(record.FirstByteTicks));
                break;
            case AccessLogField.Total_Us: line.Number(Microseconds(record.TotalTicks)); break;
            case AccessLogField.Id: line.Raw(record.RequestId.Span); break;
            case AccessLogField.Trace_Id: line.Raw(record.TraceId.Span); break;
            case AccessLogField.Protocol:
                if (record.HttpMinorVersion >= 0) line.Raw(record.HttpMinorVersion == 0 ? "HTTP/1.0"u8 : "HTTP/1.1"u8);
                break;
            // The page before may have been reached with a secret in its query.
            case AccessLogField.Referer: _redaction.Target(ref line, Head(record.Referer.Span, HeaderBytesMax), escape); break;
            case AccessLogField.User_Agent: line.Bytes(Head(record.UserAgent.Span, HeaderBytesMax), escape); break;
            case AccessLogField.Tls_Protocol: line.Text(record.Tls?.Protocol, escape); break;
            case AccessLogField.Tls_Cipher: line.Text(record.Tls?.Cipher, escape); break;
            case AccessLogField.Server_Name: line.Text(record.Tls?.ServerName, escape); break;
            case AccessLogField.Balance: line.Text(record.Balance, escape); break;
            case AccessLogField.Limit:
                if (record.Limit != LimitOutcome.None) line.Text(Name(Limits, (int)record.Limit), escape);
                break;
        }
    }

    private static ReadOnlySpan<byte> Head(ReadOnlySpan<byte> bytes, int bytesMax = TargetBytesMax) => bytes.Length > bytesMax ? bytes[..bytesMax] : bytes;

    private static string Name(string[] names, int index) => (uint)index < (uint)names.Length ? names[index] : "Unknown";

    private static void Text(ref LineWriter line, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null) return;
        line.Raw(name);
        line.Text(value, Escape.Json);
        line.Raw((byte)'"');
    }

    private static void Number(ref LineWriter line, ReadOnlySpan<byte> name, long value)
    {
        line.Raw(name);
        line.Number(value);
    }

    private static void Address(ref LineWriter line, Core.Transport.PeerAddress address)
    {
        Span<byte> text = stackalloc byte[48];
        line.Raw(text[..address.FormatAddress(text)]);
    }

    private static void Time(ref LineWriter line, string format)
    {
        Span<byte> text = stackalloc byte[40];
        line.At.TryFormat(text, out int written, format, CultureInfo.InvariantCulture);
        line.Raw(text[..written]);
    }

    internal long Microseconds(long ticks) => (long)(ticks * (1e6 / time.TimestampFrequency));
}
