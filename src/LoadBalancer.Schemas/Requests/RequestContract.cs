using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.OpenApi;

namespace LoadBalancer.Schemas.Requests;

/// <summary>What requests and responses must look like: an OpenAPI document, or a list of requirements. Immutable; any thread.</summary>
public abstract class RequestContract
{
    private readonly OpenApiOptions _options;

    private protected RequestContract(OpenApiOptions options) => _options = options;

    /// <summary>Finds the operation of a request.</summary>
    /// <param name="method">In upper case.</param>
    /// <param name="path">As it came, percent-encoded, without the query; begins with a slash.</param>
    public abstract OpenApiMatch Match(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path);

    // Hot path: per request. 0 allocations while it is valid.
    /// <summary>Holds path, query, header fields and cookies against the operation.</summary>
    /// <param name="match">Of <see cref="Match"/>, with an operation.</param>
    /// <param name="path">The same.</param>
    /// <param name="query">Without the question mark.</param>
    /// <param name="fields">The header fields.</param>
    /// <param name="problems">Takes what is wrong; null: only the verdict is asked.</param>
    public bool ValidateParameters(in OpenApiMatch match, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, IHeaderFields fields, List<RequestProblem>? problems)
    {
        OpenApiOperation operation = match.Operation!;
        RequestMemory memory = RequestMemory.Get();
        bool isValid = true;
        if (!memory.Query.ReadForm(query))
        {
            problems?.Add(new RequestProblem(RequestPlace.Query, "", "", "encoding", $"the query is wrongly percent-encoded, or has more than {NamedValues.CountMax} parameters"));
            return false;
        }
        bool hasCookies = false;
        foreach (Parameter parameter in operation.Parameters)
        {
            if (parameter.Place == RequestPlace.Cookie && !hasCookies)
            {
                hasCookies = true;
                memory.Cookies.ReadCookies(fields.TryGet("cookie"u8, out ReadOnlySpan<byte> line) ? line : default);
            }
            if (Check(parameter, memory, match, path, query, fields, problems)) continue;
            isValid = false;
            if (problems is null || problems.Count >= _options.Schema.ProblemsMax) return false;
        }
        return CheckUnknown(operation, memory.Query, problems) && isValid;
    }

    private static bool Check(Parameter parameter, RequestMemory memory, in OpenApiMatch match, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, IHeaderFields fields,
        List<RequestProblem>? problems)
    {
        var reader = new ParameterReader(parameter, memory, problems);
        switch (parameter.Place)
        {
            case RequestPlace.Query: return reader.CheckQuery(memory.Query, query);
            case RequestPlace.Path:
                int index = Array.IndexOf(match.Item!.ParameterNames, parameter.Name);
                return index < 0 || reader.CheckText(match.Values.Of(path, index), decodes: true);
            case RequestPlace.Header: return CheckField(reader, parameter, fields);
            default:
                fields.TryGet("cookie"u8, out ReadOnlySpan<byte> cookies);
                int cookie = memory.Cookies.Find(parameter.Utf8, parameter.Hash);
                return cookie < 0 ? !parameter.IsRequired || reader.Refuse("required", "is missing") : reader.CheckText(memory.Cookies.Value(cookie, cookies), decodes: true);
        }
    }

    private static bool CheckField(in ParameterReader reader, Parameter parameter, IHeaderFields fields) =>
        fields.TryGet(parameter.Utf8, out ReadOnlySpan<byte> value) ? reader.CheckText(value, decodes: false) : !parameter.IsRequired || reader.Refuse("required", "is missing");

    private bool CheckUnknown(OpenApiOperation operation, NamedValues query, List<RequestProblem>? problems)
    {
        if (!_options.RefuseUnknownQuery || operation.HasOpenQuery) return true;
        bool isValid = true;
        for (int i = 0; i < query.Count; i++)
        {
            if (query.IsUsed(i)) continue;
            isValid = false;
            if (problems is null || problems.Count >= _options.Schema.ProblemsMax) return false;
            problems.Add(new RequestProblem(RequestPlace.Query, ShownText.Of(query.Name(i)), "", "unknown", "is no parameter of this operation"));
        }
        return isValid;
    }

    /// <summary>Holds a body against the operation. Of one without content call it with an empty body.</summary>
    /// <param name="operation">Of <see cref="Match"/>.</param>
    /// <param name="contentType">The field; empty when there is none.</param>
    /// <param name="body">All of it, decoded.</param>
    /// <param name="problems">Takes what is wrong; null: only the verdict is asked.</param>
    public static RequestVerdict ValidateBody(OpenApiOperation operation, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, List<RequestProblem>? problems)
    {
        if (operation.Body is not { } rule) return RequestVerdict.Valid;
        if (body.IsEmpty)
        {
            if (!rule.IsRequired) return RequestVerdict.Valid;
            problems?.Add(new RequestProblem(RequestPlace.Body, "", "", "required", "there is no body"));
            return RequestVerdict.NoBody;
        }
        return CheckMediaType(operation, contentType, problems) is { } media ? BodyReader.Validate(media, contentType, body, problems) : RequestVerdict.BadMediaType;
    }

    /// <summary>Whether a body of this media type may be sent at all; it is asked before the body is read.</summary>
    public static RequestVerdict ValidateMediaType(OpenApiOperation operation, ReadOnlySpan<byte> contentType, List<RequestProblem>? problems) =>
        operation.Body is null || CheckMediaType(operation, contentType, problems) is not null ? RequestVerdict.Valid : RequestVerdict.BadMediaType;

    private static MediaRule? CheckMediaType(OpenApiOperation operation, ReadOnlySpan<byte> contentType, List<RequestProblem>? problems)
    {
        ContentRule rule = operation.Body!;
        if (rule.Find(contentType) is { } media) return media;
        problems?.Add(new RequestProblem(RequestPlace.Header, "Content-Type", "", rule.Rule, $"expected {string.Join(" or ", rule.Media.Select(m => m.Range.Text))}"));
        return null;
    }

    /// <summary>All of a request: path and method, parameters, then the body.</summary>
    public RequestVerdict ValidateRequest(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, IHeaderFields fields, ReadOnlySpan<byte> body,
        List<RequestProblem>? problems)
    {
        OpenApiMatch match = Match(method, path);
        if (match.Operation is null) return match.IsPathKnown ? RequestVerdict.NoMethod : RequestVerdict.NoPath;
        bool isValid = ValidateParameters(match, path, query, fields, problems);
        if (!isValid && (problems is null || problems.Count >= _options.Schema.ProblemsMax)) return RequestVerdict.BadParameters;
        ReadOnlySpan<byte> contentType = fields.TryGet("content-type"u8, out ReadOnlySpan<byte> value) ? value : default;
        RequestVerdict verdict = ValidateBody(match.Operation, contentType, body, problems);
        return isValid ? verdict : RequestVerdict.BadParameters;
    }

    /// <summary>Holds a response against the operation: status, header fields, media type, and the body of those that are read. True: it is as described.</summary>
    /// <param name="operation">Of <see cref="Match"/>.</param>
    /// <param name="status">The status.</param>
    /// <param name="fields">The header fields.</param>
    /// <param name="body">All of it, decoded; empty where there is none or it is not looked at.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static bool ValidateResponse(OpenApiOperation operation, int status, IHeaderFields fields, ReadOnlySpan<byte> body, List<RequestProblem> problems)
    {
        if (operation.Responses.Length == 0) return true;
        if (FindResponse(operation, status) is not { } response)
        {
            problems.Add(new RequestProblem(RequestPlace.Status, "", "", "responses", $"the status {status} is not described"));
            return false;
        }
        bool isValid = true;
        RequestMemory memory = RequestMemory.Get();
        foreach (Parameter header in response.Headers)
        {
            if (!CheckField(new ParameterReader(header, memory, problems), header, fields)) isValid = false;
        }
        ReadOnlySpan<byte> contentType = fields.TryGet("content-type"u8, out ReadOnlySpan<byte> value) ? value : default;
        if (response.Content is not { } content || (body.IsEmpty && contentType.IsEmpty)) return isValid;
        if (content.Find(contentType) is { } media) return (body.IsEmpty || BodyReader.Validate(media, contentType, body, problems) == RequestVerdict.Valid) && isValid;
        problems.Add(new RequestProblem(RequestPlace.Header, "Content-Type", "", content.Rule, $"expected {string.Join(" or ", content.Media.Select(m => m.Range.Text))}"));
        return false;
    }

    /// <summary>Whether the body of a response is to be read to be held against the operation.</summary>
    public static bool ReadsResponseBody(OpenApiOperation operation, int status, ReadOnlySpan<byte> contentType) =>
        FindResponse(operation, status)?.Content?.Find(contentType) is { } media && media.KindOf(contentType) != MediaKind.Opaque;

    // An exact status before a range, a range before the default (OpenAPI 3.1 §4.8.16); they are in this order.
    private static OpenApiResponse? FindResponse(OpenApiOperation operation, int status)
    {
        foreach (OpenApiResponse response in operation.Responses)
        {
            if (response.StatusMin == 0 || (status >= response.StatusMin && status <= response.StatusMax)) return response;
        }
        return null;
    }
}
