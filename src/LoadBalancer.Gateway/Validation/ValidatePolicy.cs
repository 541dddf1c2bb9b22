using System.Diagnostics.Metrics;
using System.Text;
using LoadBalancer.Core.Policies;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Gateway.Validation;

/// <summary>
/// Holds requests, and by choice responses, against an OpenAPI document or a list of requirements. The verdict is had first and without allocations; what is wrong is looked for
/// only where something is.
/// </summary>
internal sealed class ValidatePolicy : IRequestPolicy, IResponsePolicy, IDisposable
{
    private const int MethodMax = 64;

    private readonly ValidateConfig _config;
    private readonly string _name;
    private readonly ContractSource _source;
    private readonly Meter _meter = new("LoadBalancer");
    private readonly Counter<long> _invalid;

    internal ValidatePolicy(ValidateConfig config, PolicyServices services)
    {
        _config = config;
        _name = services.Name;
        _invalid = _meter.CreateCounter<long>("lb.validation.invalid", "{message}", "Requests and responses that are not valid, by whether they were refused or only reported.");
        Counter<long> reloads = _meter.CreateCounter<long>("lb.validation.reloads", "{reload}", "Changes of a validation policy's files, by whether what they have is used.");
        _source = new ContractSource(config, services.Name, reloads, services.Time, services.Logger);
    }

    internal ContractSource Source => _source;

    private bool IsReportOnly => _config.Mode == ValidationMode.Report;

    // Hot path: per request.
    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        RequestContract contract = _source.Current;
        Span<byte> method = stackalloc byte[MethodMax];
        method = Encoding.ASCII.TryGetBytes(context.Method, method, out int length) ? method[..length] : default;
        OpenApiMatch match = contract.Match(method, context.Path);
        if (match.Operation is not { } operation) return new(Invalid(context, match.IsPathKnown ? RequestVerdict.NoMethod : RequestVerdict.NoPath, [], match.Allow));
        context.State = operation;
        FieldsView fields = FieldsView.Of(context.Fields);
        if (!contract.ValidateParameters(match, context.Path, context.Query, fields, null))
        {
            var problems = new List<RequestProblem>();
            contract.ValidateParameters(match, context.Path, context.Query, fields, problems);
            if (Invalid(context, RequestVerdict.BadParameters, problems) is { } refused) return new(refused);
        }
        if (context.HasBody) return CheckBody(context, operation);
        if (!operation.RequiresBody) return default;
        return new(Invalid(context, RequestVerdict.NoBody, [new RequestProblem(RequestPlace.Body, "", "", "required", "there is no body")]));
    }

    private ValueTask<PolicyAnswer?> CheckBody(RequestContext context, OpenApiOperation operation)
    {
        FieldsView fields = FieldsView.Of(context.Fields);
        ReadOnlySpan<byte> contentType = fields.TryGet("content-type"u8, out ReadOnlySpan<byte> type) ? type : default;
        // One that turns out to be empty may have no type: then only its end tells.
        bool mayBeEmpty = context.ContentLength < 0 && contentType.IsEmpty;
        if (!mayBeEmpty && RequestContract.ValidateMediaType(operation, contentType, null) != RequestVerdict.Valid)
        {
            var problems = new List<RequestProblem>();
            RequestContract.ValidateMediaType(operation, contentType, problems);
            return new(Invalid(context, RequestVerdict.BadMediaType, problems));
        }
        if (context.ContentLength > _config.BodyBytesMax) return new(Invalid(context, RequestVerdict.BodyTooLarge, []));
        bool reads = operation.ReadsBody(contentType) || (mayBeEmpty && operation.RequiresBody);
        if (reads && RefuseCoding(fields) is { } coding) return new(Invalid(context, RequestVerdict.BadMediaType, [coding]));
        // Of what is not read the length is to be held all the same, and it is not known before the end.
        bool isCounted = context.ContentLength < 0 && !IsReportOnly;
        if (!reads && !isCounted) return default;
        // A longer one than may be is refused while it is read: that is not to happen where nothing is refused.
        if (IsReportOnly && context.ContentLength < 0) return default;
        ValueTask<ReadOnlyMemory<byte>?> reading = context.ReadBodyAsync(_config.BodyBytesMax);
        return reading.IsCompletedSuccessfully ? new(reading.Result is { } body && (reads || body.Length > 0) ? CheckContent(context, operation, body) : null)
            : CheckContentAsync(context, operation, reading);
    }

    private async ValueTask<PolicyAnswer?> CheckContentAsync(RequestContext context, OpenApiOperation operation, ValueTask<ReadOnlyMemory<byte>?> reading)
    {
        // Null: the request is refused already.
        ReadOnlyMemory<byte>? body = await reading.ConfigureAwait(false);
        return body is { } content ? CheckContent(context, operation, content) : null;
    }

    private PolicyAnswer? CheckContent(RequestContext context, OpenApiOperation operation, ReadOnlyMemory<byte> body)
    {
        FieldsView fields = FieldsView.Of(context.Fields);
        ReadOnlySpan<byte> contentType = fields.TryGet("content-type"u8, out ReadOnlySpan<byte> type) ? type : default;
        if (body.Length > 0 && operation.ReadsBody(contentType) && context.Fields.TryGet("content-encoding"u8, out ReadOnlySpan<byte> coding) && !BodyDecoder.IsPlain(coding))
        {
            switch (BodyDecoder.Decode(coding, body, _config.BodyBytesMax, out body))
            {
                case DecodeResult.TooLarge: return Invalid(context, RequestVerdict.BodyTooLarge, []);
                case DecodeResult.Broken: return Invalid(context, RequestVerdict.BadBody, [new RequestProblem(RequestPlace.Body, "", "", "coding", "cannot be decoded as Content-Encoding says")]);
            }
        }
        // The field may have been joined in the same memory.
        contentType = fields.TryGet("content-type"u8, out type) ? type : default;
        RequestVerdict verdict = RequestContract.ValidateBody(operation, contentType, body.Span, null);
        if (verdict == RequestVerdict.Valid) return null;
        var problems = new List<RequestProblem>();
        RequestContract.ValidateBody(operation, contentType, body.Span, problems);
        return Invalid(context, verdict, problems);
    }

    private RequestProblem? RefuseCoding(FieldsView fields)
    {
        if (!fields.TryGet("content-encoding"u8, out ReadOnlySpan<byte> coding) || BodyDecoder.IsPlain(coding)) return null;
        if (_config.Compressed == CompressedBodies.Refuse) return new RequestProblem(RequestPlace.Header, "Content-Encoding", "", "coding", "compressed bodies are not accepted here");
        return BodyDecoder.IsKnown(coding) ? null : new RequestProblem(RequestPlace.Header, "Content-Encoding", "", "coding", $"expected one of {BodyDecoder.Known}");
    }

    /// <summary>The answer to a request that is not valid; null where that is only reported.</summary>
    private PolicyAnswer? Invalid(RequestContext context, RequestVerdict verdict, IReadOnlyList<RequestProblem> problems, string allow = "")
    {
        _invalid.Add(1, new("policy", _name), new("message", "request"), new("outcome", IsReportOnly ? "reported" : "refused"));
        if (!IsReportOnly) return ValidationAnswers.Create(verdict, problems, allow, _config.InvalidBodyStatus);
        context.AddLogField("validation", ValidationAnswers.Describe(verdict, problems));
        return null;
    }

    public ValueTask OnResponseAsync(ResponseContext context)
    {
        if (_config.Responses == ResponseValidation.Off || context.Request.State is not OpenApiOperation operation) return default;
        FieldsView fields = FieldsView.Of(context.Fields);
        ReadOnlySpan<byte> contentType = fields.TryGet("content-type"u8, out ReadOnlySpan<byte> type) ? type : default;
        // What has no length said before may be endless, and one that is too long would end the request: both go by unread.
        bool reads = context.HasBody && context.ContentLength is > 0 && context.ContentLength <= _config.BodyBytesMax && RequestContract.ReadsResponseBody(operation, context.Status, contentType)
            && (!context.Fields.TryGet("content-encoding"u8, out ReadOnlySpan<byte> coding) || BodyDecoder.IsPlain(coding) || BodyDecoder.IsKnown(coding));
        if (!reads)
        {
            CheckResponse(context, operation, default);
            return default;
        }
        ValueTask<ReadOnlyMemory<byte>?> reading = context.ReadBodyAsync(_config.BodyBytesMax);
        if (!reading.IsCompletedSuccessfully) return CheckResponseAsync(context, operation, reading);
        if (reading.Result is { } body) CheckResponse(context, operation, body);
        return default;
    }

    private async ValueTask CheckResponseAsync(ResponseContext context, OpenApiOperation operation, ValueTask<ReadOnlyMemory<byte>?> reading)
    {
        if (await reading.ConfigureAwait(false) is { } body) CheckResponse(context, operation, body);
    }

    private void CheckResponse(ResponseContext context, OpenApiOperation operation, ReadOnlyMemory<byte> body)
    {
        var problems = new List<RequestProblem>();
        if (body.Length > 0 && context.Fields.TryGet("content-encoding"u8, out ReadOnlySpan<byte> coding) && !BodyDecoder.IsPlain(coding)
            && BodyDecoder.Decode(coding, body, _config.BodyBytesMax, out body) == DecodeResult.Broken)
        {
            problems.Add(new RequestProblem(RequestPlace.Body, "", "", "coding", "cannot be decoded as Content-Encoding says"));
        }
        RequestContract.ValidateResponse(operation, context.Status, FieldsView.Of(context.Fields), body.Span, problems);
        if (problems.Count == 0) return;
        _invalid.Add(1, new("policy", _name), new("message", "response"), new("outcome", "reported"));
        context.Request.AddLogField("responseValidation", ValidationAnswers.Describe(RequestVerdict.BadBody, problems));
    }

    /// <summary>Ends the watching of its files.</summary>
    public void Dispose()
    {
        _source.Dispose();
        _meter.Dispose();
    }
}
