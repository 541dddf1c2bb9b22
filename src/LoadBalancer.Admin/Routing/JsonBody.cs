using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Routing;

/// <summary>Reads bodies of requests that are one JSON object, with a reader for each of its fields; all that is wrong is told at once.</summary>
internal static class JsonBody
{
    /// <summary>Sets one field of what is read; null where the value is none for it.</summary>
    internal delegate T? FieldReader<T>(JsonElement value, T request) where T : class;

    /// <summary>Reads a body; false, with all that is wrong, when it cannot be used.</summary>
    /// <param name="body">As it came.</param>
    /// <param name="expected">Such a body, for messages.</param>
    /// <param name="read">Reads the object, and tells of problems.</param>
    /// <param name="request">What was read.</param>
    /// <param name="detail">The first problem.</param>
    /// <param name="problems">Those of fields.</param>
    internal static bool TryRead<T>(ReadOnlyMemory<byte> body, string expected, Func<JsonElement, List<FieldProblem>, T> read,
        [NotNullWhen(true)] out T? request, out string detail, out IReadOnlyList<FieldProblem> problems) where T : class
    {
        request = null;
        detail = "";
        List<FieldProblem> found = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            if (document.RootElement.ValueKind == JsonValueKind.Object) request = read(document.RootElement, found);
            else detail = $"the body is no JSON object; expected {expected}";
        }
        catch (JsonException e)
        {
            detail = body.IsEmpty ? $"there is no body; expected {expected}"
                : $"the body is no JSON, or has a name twice: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
        }
        catch (InvalidOperationException)
        {
            detail = "the body has a name that is no Unicode text"; // a lone surrogate, which is JSON all the same
        }
        problems = found;
        if (found.Count > 0) detail = $"{found[0].Field}: {found[0].Detail}";
        if (detail.Length > 0) request = null;
        return request is not null;
    }

    /// <summary>Reads the fields of an object, each by its reader.</summary>
    internal static T ReadFields<T>(JsonElement body, T request, IReadOnlyDictionary<string, FieldReader<T>> readers, Func<string, string> expected, List<FieldProblem> problems) where T : class
    {
        foreach (JsonProperty property in body.EnumerateObject())
        {
            string name = property.Name;
            if (!readers.TryGetValue(name, out FieldReader<T>? reader)) problems.Add(new FieldProblem(name, $"is unknown{Suggestion.Text(name, [.. readers.Keys])}"));
            else if (Read(reader, property.Value, request) is { } changed) request = changed;
            else problems.Add(new FieldProblem(name, $"expected {expected(name)}"));
        }
        return request;
    }

    private static T? Read<T>(FieldReader<T> reader, JsonElement value, T request) where T : class
    {
        try
        {
            return reader(value, request);
        }
        catch (InvalidOperationException) // a lone surrogate
        {
            return null;
        }
    }
}
