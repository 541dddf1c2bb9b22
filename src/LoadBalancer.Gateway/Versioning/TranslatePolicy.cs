using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Translation;
using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Messages;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>
/// Translates requests to the version of the destinations, and answers back. The cache lies behind it and holds what destinations said: one entry serves both versions. Thread-safe; what
/// it works with belongs to the thread.
/// </summary>
internal sealed partial class TranslatePolicy : IRequestPolicy, IResponsePolicy, IReadsFiles
{
    private const string LogField = "translate";

    [ThreadStatic]
    private static DocumentTranslator? _documents;

    [ThreadStatic]
    private static TargetBuffers? _targets;

    private readonly TranslateConfig _config;
    private readonly Translator _translator;
    private readonly bool _refusesUnmatched;
    private readonly EntityTags _tags;
    private readonly VersionNotice _notice;
    private readonly PolicyServices _services;
    private readonly TranslationLimits _limits;
    private readonly byte[]? _mapHash; // of the file it was made from; null where the configuration has the map itself

    internal TranslatePolicy(TranslateConfig config, VersionMap map, PolicyServices services)
    {
        _config = config;
        _translator = config.Direction == TranslateDirection.V1ToV2 ? map.ForV1Clients : map.ForV2Clients;
        _refusesUnmatched = map.RefusesUnmatched;
        _tags = new EntityTags(config.Suffix);
        _notice = new VersionNotice(config);
        _services = services;
        _mapHash = config.MapHash();
        _limits = new TranslationLimits { DocumentBytesMax = config.BodyBytesMax, OutputBytesMax = 2 * config.BodyBytesMax, DepthMax = config.DepthMax };
    }

    public bool IsUpToDate() => _config.MapHash() is { } hash ? hash.AsSpan().SequenceEqual(_mapHash) : _mapHash is null;

    private static DocumentTranslator Documents => _documents ??= new();

    private static TargetBuffers Targets => _targets ??= new();

    public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
    {
        Span<byte> method = stackalloc byte[64];
        // HEAD is GET without content, also to the map.
        bool isHead = context.Method == "HEAD";
        int length = Encoding.ASCII.GetBytes(isHead ? "GET" : context.Method.Length <= method.Length ? context.Method : "", method);
        TargetBuffers targets = Targets;
        TranslationProblem? problem = _translator.Translate(method[..length], context.Path, context.Query, targets, out Operation? operation);
        if (operation is null) return _refusesUnmatched ? new(PolicyAnswer.Refuse(404, EndReason.PolicyRefused, "the map has no operation for it")) : default;
        context.AddLogField(LogField, operation.Name);
        if (problem is not null) return new(Refuse(400, problem.ToString()));
        try
        {
            context.SetTarget(targets.Path, targets.Query);
            if (!isHead && operation.Method is { } other) context.Method = Encoding.ASCII.GetString(other.Span);
            if (operation.RequestFields?.Apply(new ContentFields.ForRules(context.Fields)) is { } field) return new(Refuse(400, field.ToString()));
        }
        catch (ArgumentException e)
        {
            return new(Refuse(400, e.Message)); // longer than a request may be, by what the rules have added
        }
        context.State = operation;
        // A tag that a client has from one operation of a resource comes back with another: with PUT, whose answers the map may not translate.
        bool isTranslated = operation.Response is not null;
        _tags.Unmark(context.Fields, "if-match"u8, isTranslated);
        _tags.Unmark(context.Fields, "if-none-match"u8, isTranslated);
        if (isTranslated) AskForDocuments(context.Fields);
        if (operation.Request is not { } plan || !context.HasBody) return default;
        if (!ContentFields.IsJson(context.Fields)) return _config.RefusesOtherContent ? new(Refuse(415, "the content is not JSON")) : default;
        string? codings = ContentFields.Codings(context.Fields);
        if (codings is not null && _config.RefusesCompressed) return new(RefuseCoding());
        ValueTask<ReadOnlyMemory<byte>?> reading = context.ReadBodyAsync(_config.BodyBytesMax);
        return reading.IsCompletedSuccessfully ? new(TranslateBody(context, plan, codings, reading.Result)) : WaitAsync(context, plan, codings, reading);
    }

    private async ValueTask<PolicyAnswer?> WaitAsync(RequestContext context, BodyPlan plan, string? codings, ValueTask<ReadOnlyMemory<byte>?> reading) =>
        TranslateBody(context, plan, codings, await reading.ConfigureAwait(false));

    private PolicyAnswer? TranslateBody(RequestContext context, BodyPlan plan, string? codings, ReadOnlyMemory<byte>? read)
    {
        if (read is not { Length: > 0 } body) return null; // refused already, or nothing to translate
        if (codings is not null)
        {
            switch (ContentDecoder.Decode(body, codings, _config.BodyBytesMax, out body))
            {
                case DecodeStatus.Unknown: return RefuseCoding();
                case DecodeStatus.Malformed: return Refuse(400, "the content is not what its Content-Encoding says");
                case DecodeStatus.TooLong: return Refuse(413, "the content is too long when it is decompressed");
                default: break;
            }
        }
        DocumentTranslator documents = Documents;
        if (documents.Translate(plan, body.Span, _limits) is { } problem) return Refuse(problem.Kind is TranslationProblemKind.TooLarge or TranslationProblemKind.OutputTooLarge ? 413 : 400, problem.ToString());
        context.SetBody(documents.Output.Written.ToArray()); // its own bytes: they are sent after the next document has been translated
        if (codings is not null) context.Fields.Remove("content-encoding"u8);
        ContentFields.RemoveDigests(context.Fields);
        return null;
    }

    // What is asked for is what is translated: whole documents, uncompressed where the destination can. A range of bytes of one version means nothing in the other.
    private static void AskForDocuments(HeaderFields fields)
    {
        fields.Remove("range"u8);
        fields.Remove("if-range"u8);
        fields.Set("Accept-Encoding"u8, "identity"u8);
    }

    // What the client hears is the status. Pointer and rule are for the log: they would tell of the version behind.
    private static PolicyAnswer Refuse(int status, string detail) => PolicyAnswer.Refuse(status, EndReason.RequestInvalid, detail);

    private static PolicyAnswer RefuseCoding()
    {
        var fields = new HeaderFields();
        fields.Set("Accept-Encoding"u8, "identity"u8); // RFC 9110 §12.5.3: what would have been taken
        return new PolicyAnswer(415, EndReason.RequestInvalid) { Detail = "the content has a Content-Encoding that is not taken", Fields = fields };
    }
}
