using LoadBalancer.Schemas.Requests;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.OpenApi;

/// <summary>Holds one body against its media type.</summary>
internal static class BodyReader
{
    internal static RequestVerdict Validate(MediaRule media, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, List<RequestProblem>? problems)
    {
        switch (media.KindOf(contentType))
        {
            case MediaKind.Json: return Validate(media.Schema!, body, problems);
            case MediaKind.Text:
                JsonText text = RequestMemory.Get().Json;
                text.Scalar(body, media.Shape.Kinds, asText: false);
                return Validate(media.Schema!, text.Written, problems);
            case MediaKind.Form: return ValidateForm(media, body, problems);
            default: return RequestVerdict.Valid;
        }
    }

    internal static RequestVerdict Validate(JsonSchema schema, ReadOnlySpan<byte> json, List<RequestProblem>? problems)
    {
        List<InstanceProblem>? found = problems is null ? null : [];
        InstanceVerdict verdict = schema.Validate(json, found);
        foreach (InstanceProblem problem in found ?? [])
        {
            problems!.Add(new RequestProblem(RequestPlace.Body, "", problem.Pointer, problem.Rule, problem.Message));
        }
        return verdict switch
        {
            InstanceVerdict.Valid => RequestVerdict.Valid,
            InstanceVerdict.TooLarge => RequestVerdict.BodyTooLarge,
            _ => RequestVerdict.BadBody,
        };
    }

    // An object with a property for each name; what the schema says is an array takes all pairs of its name (OpenAPI 3.1 §4.8.14.4).
    private static RequestVerdict ValidateForm(MediaRule media, ReadOnlySpan<byte> body, List<RequestProblem>? problems)
    {
        RequestMemory memory = RequestMemory.Get();
        if (!memory.Query.ReadForm(body))
        {
            problems?.Add(new RequestProblem(RequestPlace.Body, "", "", "encoding", $"the form is wrongly percent-encoded, or has more than {NamedValues.CountMax} fields"));
            return RequestVerdict.BadBody;
        }
        JsonText json = memory.Json;
        RequestVerdict verdict = RequestVerdict.Valid;
        for (int attempt = 0; attempt < 2; attempt++)
        {
            json.Clear();
            json.Raw('{');
            // Each pair once: of an array all with its first.
            for (int i = 0; i < memory.Query.Count; i++)
            {
                ReadOnlySpan<byte> name = memory.Query.Name(i);
                ValueShape shape = media.Shape.PropertyAt(media.Shape.Properties.Find(name, memory.Query.Hash(i)));
                if (shape.IsArray && memory.Query.Find(name, memory.Query.Hash(i)) < i) continue;
                json.Separate();
                json.String(name);
                json.Raw(':');
                if (shape.IsArray) json.Raw('[');
                for (int k = i; k >= 0; k = shape.IsArray ? memory.Query.Find(name, memory.Query.Hash(i), k + 1) : -1)
                {
                    ReadOnlySpan<byte> value = memory.Query.Value(k, body);
                    Span<byte> decoded = memory.Decoded(value.Length);
                    int length = PercentText.Decode(value, decoded, plusIsSpace: true);
                    if (length < 0)
                    {
                        problems?.Add(new RequestProblem(RequestPlace.Body, "", "", "encoding", "the form is wrongly percent-encoded"));
                        return RequestVerdict.BadBody;
                    }
                    json.Separate();
                    KindSet kinds = (shape.IsArray ? shape.Items ?? ValueShape.Any : shape).Kinds;
                    json.Scalar(decoded[..length], kinds, asText: attempt == 1);
                }
                if (shape.IsArray) json.Raw(']');
            }
            json.Raw('}');
            verdict = Validate(media.Schema!, json.Written, attempt == 1 ? problems : null);
            if (verdict == RequestVerdict.Valid) break;
        }
        return verdict;
    }
}
