using System.Buffers;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Schemas.OpenApi;
using LoadBalancer.Schemas.Requests;

namespace LoadBalancer.Gateway.Validation;

/// <summary>The answers to requests that are not valid: problem details (RFC 9457).</summary>
internal static class ValidationAnswers
{
    private const int DetailMax = 300;

    internal static PolicyAnswer Create(RequestVerdict verdict, IReadOnlyList<RequestProblem> problems, string allow, int invalidBodyStatus)
    {
        (int status, string title, string detail) = verdict switch
        {
            RequestVerdict.NoPath => (404, "Not Found", "There is no such path in this interface."),
            RequestVerdict.NoMethod => (405, "Method Not Allowed", "This path has no such method."),
            RequestVerdict.BadMediaType => (415, "Unsupported Media Type", "The body is of a type that is not accepted here."),
            RequestVerdict.BodyTooLarge => (413, "Content Too Large", "The body is larger, or nested deeper, than is accepted here."),
            RequestVerdict.NoBody => (400, "Bad Request", "The body is missing."),
            RequestVerdict.BadBody => (invalidBodyStatus, invalidBodyStatus == 422 ? "Unprocessable Content" : "Bad Request", "The body is not valid."),
            _ => (400, "Bad Request", "The request is not valid."),
        };
        var output = new ArrayBufferWriter<byte>(256);
        ProblemDetails.Write(output, status, title, detail, problems);
        var fields = new HeaderFields();
        fields.Set("Content-Type"u8, "application/problem+json"u8);
        if (status == 405) fields.Set("Allow", allow);
        // RFC 9110 §15.5.16: where it is the coding, this says which are accepted.
        if (status == 415 && problems.Any(problem => problem.Name == "Content-Encoding")) fields.Set("Accept-Encoding", BodyDecoder.Known);
        return new PolicyAnswer(status, EndReason.RequestInvalid) { Fields = fields, Body = output.WrittenMemory, Detail = Describe(verdict, problems) };
    }

    /// <summary>One line for the log.</summary>
    internal static string Describe(RequestVerdict verdict, IReadOnlyList<RequestProblem> problems)
    {
        string text = problems.Count == 0 ? verdict.ToString() : problems.Count == 1 ? problems[0].ToString() : $"{problems[0]} and {problems.Count - 1} more";
        return text.Length > DetailMax ? text[..DetailMax] + "..." : text;
    }
}
