using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Messages;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Gateway.Versioning;

// Answers of destinations and of the cache, on their way back.
internal sealed partial class TranslatePolicy
{
    private static readonly byte[] BadGateway = Encoding.ASCII.GetBytes("502 Bad Gateway\n");

    private long _toldAt = long.MinValue, _untold;

    public ValueTask OnResponseAsync(ResponseContext context)
    {
        _notice.Write(context.Fields);
        if (context.Request.State is not Operation operation) return default;
        bool isError = context.Status >= 400;
        BodyPlan? plan = isError ? operation.Error : operation.Response;
        try
        {
            if ((isError ? operation.ErrorFields : operation.ResponseFields)?.Apply(new ContentFields.ForRules(context.Fields)) is { } field)
            {
                Fail(context, operation, field.ToString());
                return default;
            }
            TranslateFields(context, operation);
        }
        catch (ArgumentException e)
        {
            Fail(context, operation, e.Message); // more fields than an answer may have, by what the rules have added
            return default;
        }
        bool isPartial = context.Status == 206;
        context.Status = operation.Status(context.Status);
        if (plan is null) return default;
        if (!ContentFields.IsJson(context.Fields))
        {
            // Of a 304 no type is known: its length was that of the other version, or of no matter.
            if (!context.HasBody && !isError) context.ForgetContentLength();
            else if (context.HasBody && _config.RefusesOtherContent) Fail(context, operation, "the content is not JSON");
            return default;
        }
        if (isPartial)
        {
            Fail(context, operation, "the content is a part of a document");
            return default;
        }
        string? codings = ContentFields.Codings(context.Fields);
        ContentFields.RemoveDigests(context.Fields);
        if (codings is not null) context.Fields.Remove("content-encoding"u8);
        if (!context.HasBody)
        {
            context.ForgetContentLength();
            return default;
        }
        if (codings is not null && _config.RefusesCompressed)
        {
            Fail(context, operation, "the content is compressed");
            return default;
        }
        ValueTask<ReadOnlyMemory<byte>?> reading = context.ReadBodyAsync(_config.BodyBytesMax);
        if (!reading.IsCompletedSuccessfully) return WaitAsync(context, operation, plan, codings, reading);
        TranslateBody(context, operation, plan, codings, reading.Result);
        return default;
    }

    private async ValueTask WaitAsync(ResponseContext context, Operation operation, BodyPlan plan, string? codings, ValueTask<ReadOnlyMemory<byte>?> reading) =>
        TranslateBody(context, operation, plan, codings, await reading.ConfigureAwait(false));

    private void TranslateFields(ResponseContext context, Operation operation)
    {
        TargetBuffers targets = Targets;
        References.Translate(context.Fields, "location"u8, context.Request, _translator, targets);
        References.Translate(context.Fields, "content-location"u8, context.Request, _translator, targets);
        if (operation.RequestFields is { } fields) TranslateVary(context.Fields, fields);
        if (operation.Response is null) return;
        // Also where the content is none to translate, and of a 304: what a client compares has to be what it was given.
        if (context.Status < 400) _tags.Mark(context.Fields);
        context.Fields.Remove("accept-ranges"u8);
    }

    // Vary names fields of requests as the destination knows them.
    private static void TranslateVary(HeaderFields fields, HeaderPlan plan)
    {
        if (fields.Get("vary") is not { } vary) return;
        string[] names = vary.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        bool isChanged = false;
        for (int i = 0; i < names.Length; i++)
        {
            if (plan.SourceOf(names[i]) is not { } source) continue;
            names[i] = source;
            isChanged = true;
        }
        if (isChanged) fields.Set("Vary", string.Join(", ", names));
    }

    private void TranslateBody(ResponseContext context, Operation operation, BodyPlan plan, string? codings, ReadOnlyMemory<byte>? read)
    {
        if (read is not { Length: > 0 } body) return; // failed already, or nothing to translate
        if (codings is not null)
        {
            DecodeStatus status = ContentDecoder.Decode(body, codings, _config.BodyBytesMax, out body);
            if (status != DecodeStatus.Done)
            {
                Fail(context, operation, status switch
                {
                    DecodeStatus.TooLong => "the content is too long when it is decompressed",
                    DecodeStatus.Unknown => "the content has a Content-Encoding that is not known",
                    _ => "the content is not what its Content-Encoding says",
                });
                return;
            }
        }
        DocumentTranslator documents = Documents;
        if (documents.Translate(plan, body.Span, _limits) is { } problem) Fail(context, operation, problem.ToString());
        else context.SetBody(documents.Output.Written.ToArray()); // its own bytes: they are sent after the next document has been translated
    }

    // Nothing of the other version reaches the client, and nobody may keep it.
    private void Fail(ResponseContext context, Operation operation, string problem)
    {
        context.Request.AddLogField(LogField, $"{operation.Name}: {problem}");
        Tell(operation, problem);
        context.Fields.Clear();
        if (context.Status is 204 or 205 or 304) return; // its fields are all there is to keep back
        context.Fields.Set("Content-Type"u8, "text/plain"u8);
        context.Fields.Set("Cache-Control"u8, "no-store"u8);
        _notice.Write(context.Fields);
        context.Status = 502;
        context.SetBody(BadGateway);
    }

    private void Tell(Operation operation, string problem)
    {
        // Once in ten seconds: a destination that has changed would write a line for every request.
        long now = _services.Time.GetTimestamp(), told = Volatile.Read(ref _toldAt);
        if ((told == long.MinValue || _services.Time.GetElapsedTime(told, now) >= TimeSpan.FromSeconds(10)) && Interlocked.CompareExchange(ref _toldAt, now, told) == told)
            TranslateLog.Untranslatable(_services.Logger, _services.Name, operation.Name, problem, Interlocked.Exchange(ref _untold, 0));
        else Interlocked.Increment(ref _untold);
    }
}
