using LoadBalancer.Translation.Documents;
using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Translation.Messages;

/// <summary>Translates the path and query of an operation in one direction. Immutable.</summary>
internal sealed class TargetPlan
{
    private readonly PathTemplate _to;
    private readonly int[] _segments, _parameters; // index of the value; -1 for texts
    private readonly byte[][] _parameterNames; // with their "="
    private readonly QueryPlan _query;

    internal TargetPlan(PathTemplate from, PathTemplate to, Operation operation, QueryPlan query)
    {
        _to = to;
        _query = query;
        Operation = operation;
        List<string> variables = [.. from.Segments.Where(s => s.IsVariable).Select(s => s.Text), .. from.Query.Where(q => q.Value.IsVariable).Select(q => q.Value.Text)];
        _segments = [.. to.Segments.Select(s => s.IsVariable ? variables.IndexOf(s.Text) : -1)];
        _parameterNames = [.. to.Query.Select(q => System.Text.Encoding.ASCII.GetBytes($"{q.Name}="))];
        _parameters = [.. to.Query.Select(q => q.Value.IsVariable ? variables.IndexOf(q.Value.Text) : -1)];
    }

    internal Operation Operation { get; }

    // Hot path: per request. 0 allocations.
    internal TranslationProblem? Write(ReadOnlySpan<byte> path, ReadOnlySpan<byte> query, in TemplateValues values, TargetBuffers output)
    {
        OutputBuffer toPath = output.PathBuffer, toQuery = output.QueryBuffer;
        for (int i = 0; i < _segments.Length; i++)
        {
            toPath.Write((byte)'/');
            if (_segments[i] < 0)
            {
                toPath.Write(_to.Segments[i].Bytes);
                continue;
            }
            (int start, int length, bool isInQuery) = values[_segments[i]];
            if (!isInQuery) toPath.Write(path.Slice(start, length));
            else if (!PercentText.TryWriteSegment(toPath, query.Slice(start, length)))
                return new(TranslationProblemKind.Unconvertible, $"the parameter for \"{{{_to.Segments[i].Text}}}\" is no segment of a path", Rule: Operation.MapPath);
        }
        if (_to.HasTail) toPath.Write(path.Slice(values.TailStart, values.TailLength));
        if (toPath.Length == 0) toPath.Write((byte)'/');
        for (int i = 0; i < _parameters.Length; i++)
        {
            TemplatePart value = _to.Query[i].Value;
            QueryPlan.Separate(toQuery);
            toQuery.Write(_parameterNames[i]);
            if (_parameters[i] < 0)
            {
                toQuery.Write(value.Bytes);
                continue;
            }
            (int start, int length, bool isInQuery) = values[_parameters[i]];
            if (isInQuery) toQuery.Write(query.Slice(start, length));
            else PercentText.WriteParameter(toQuery, path.Slice(start, length));
        }
        return _query.Write(query, toQuery, output.Scratch)
            ?? (toPath.IsOverflown || toQuery.IsOverflown ? new(TranslationProblemKind.OutputTooLarge, $"the translated target has more than {TargetBuffers.BytesMax} bytes") : null);
    }
}
