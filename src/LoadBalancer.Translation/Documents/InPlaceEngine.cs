using System.Text.Json;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Documents;

/// <summary>
/// Translates while it reads, for plans whose rules leave values in their objects: what lies between two changes is copied in one piece, so that most of a document is neither looked at
/// twice nor written token by token.
/// </summary>
internal ref struct InPlaceEngine
{
    private readonly DocumentTranslator _work;
    private readonly OutputBuffer _output;
    private readonly ReadOnlySpan<byte> _source;
    private int _copied; // of the source, everything before is written or left out

    internal InPlaceEngine(DocumentTranslator work, ReadOnlySpan<byte> source)
    {
        _work = work;
        _output = work.Output;
        _source = source;
    }

    // Hot path: once for each document. 0 allocations. AllocationTests.Translate_InPlace_AllocatesNothing
    internal bool Run(ref Utf8JsonReader reader, Scope scope)
    {
        reader.Read();
        if (!Value(ref reader, scope, scope.Root)) return false;
        reader.Read(); // throws where something follows
        CopyTo(_source.Length);
        return true;
    }

    private void CopyTo(int end)
    {
        if (end <= _copied) return;
        _output.Write(_source[_copied..end]);
        _copied = end;
    }

    // The reader is at the first token of the value, then at its last.
    private bool Value(ref Utf8JsonReader reader, Scope scope, SourceNode node)
    {
        while (node.Type is { } type)
        {
            scope = type;
            node = type.Root;
        }
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject when node.Members is { } members:
                return Members(ref reader, members);
            case JsonTokenType.StartObject when node.TakesObject:
                return Object(ref reader, scope, node);
            case JsonTokenType.StartArray when node.Items is { } items:
                return Items(ref reader, items);
            case JsonTokenType.Null when node.TakesContainer:
                return true;
            case not (JsonTokenType.StartObject or JsonTokenType.StartArray) when node.Rule?.Conversion is not null:
                return Convert(ref reader, node.Rule);
            default:
                if ((node.TakesContainer || node.Rule?.Conversion is not null) && !Refusals.Value(_work, ref reader, node)) return false;
                return _work.Skip(ref reader, _source);
        }
    }

    private bool Items(ref Utf8JsonReader reader, Scope items)
    {
        if (!_work.Enter(ref reader)) return false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!Value(ref reader, items, items.Root)) return false;
        }
        return true;
    }

    private bool Members(ref Utf8JsonReader reader, Scope members)
    {
        if (!_work.EnterObject(ref reader)) return false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (!_work.TakeName(ref reader, _source, out _)) return false;
            reader.Read();
            if (!Value(ref reader, members, members.Root)) return false;
        }
        return true;
    }

    private bool Object(ref Utf8JsonReader reader, Scope scope, SourceNode node)
    {
        if (!_work.EnterObject(ref reader)) return false;
        ulong seen = 0;
        bool hasMember = false, isCut = false; // cut: the source before the next name ends with a member that was left out
        int tail = (int)reader.BytesConsumed; // end of what was kept last
        NameIndex<TargetNode>? taken = node.Target?.Children;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            int nameStart = (int)reader.TokenStartIndex, nameEnd = nameStart + reader.ValueSpan.Length + 2;
            if (!_work.TakeName(ref reader, _source, out ReadOnlySpan<byte> name)) return false;
            SourceNode? child = node.Children.Find(name);
            bool keeps = child is null ? !scope.DropsUnknown && taken is not null && taken.Find(name) is null : true;
            reader.Read();
            if (child?.Rule is { } rule) keeps = !IsAbsent(ref reader, rule);
            if (!keeps)
            {
                CopyTo(tail);
                if (!_work.Skip(ref reader, _source)) return false;
                _copied = (int)reader.BytesConsumed;
                isCut = true;
                // A value that is taken for granted is there all the same; a list without elements is not.
                if (child is { DefaultIndex: >= 0, Rule.Kind: not PlanRuleKind.Unwrap }) seen |= 1UL << child.DefaultIndex;
                continue;
            }
            if (isCut)
            {
                if (hasMember) _output.Write((byte)',');
                _copied = nameStart;
                isCut = false;
            }
            hasMember = true;
            if (child is not null)
            {
                if (child.DefaultIndex >= 0) seen |= 1UL << child.DefaultIndex;
                if (!Member(ref reader, scope, child, nameStart, nameEnd)) return false;
            }
            else if (!_work.Skip(ref reader, _source)) return false;
            tail = (int)reader.BytesConsumed;
        }
        foreach (SourceNode child in node.Defaults)
        {
            if ((seen & 1UL << child.DefaultIndex) == 0) Append(child.Rule!.Targets[0], child.Rule.Default, ref hasMember, tail);
        }
        foreach (PlanRule constant in node.Constants) Append(constant.Targets[0], constant.Default, ref hasMember, tail);
        return true;
    }

    private void Append(TargetNode target, ReadOnlySpan<byte> json, ref bool hasMember, int tail)
    {
        CopyTo(tail);
        if (hasMember) _output.Write((byte)',');
        _output.Write(target.QuotedName);
        _output.Write((byte)':');
        _output.Write(json);
        hasMember = true;
    }

    private bool IsAbsent(ref Utf8JsonReader reader, PlanRule rule)
    {
        if (rule.Kind == PlanRuleKind.Remove) return true;
        if (rule.Omitted is { } omitted && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray) && _work.TakeScalar(ref reader, out Scalar value)) return omitted.Equals(value);
        if (rule.Kind != PlanRuleKind.Unwrap || reader.TokenType != JsonTokenType.StartArray) return false;
        Utf8JsonReader ahead = reader;
        ahead.Read();
        return ahead.TokenType == JsonTokenType.EndArray;
    }

    // A member that is kept; the reader is at its value.
    private bool Member(ref Utf8JsonReader reader, Scope scope, SourceNode child, int nameStart, int nameEnd)
    {
        if (child.Rule is { Kind: PlanRuleKind.Split } split) return Split(ref reader, split, nameStart, nameEnd);
        TargetNode target = child.Target!;
        if (target.Name != child.Name) Rename(target, nameStart, nameEnd);
        int start = (int)reader.TokenStartIndex;
        switch (child.Rule?.Kind)
        {
            case PlanRuleKind.Wrap when reader.TokenType != JsonTokenType.Null:
                CopyTo(start);
                _output.Write((byte)'[');
                if (!_work.Skip(ref reader, _source)) return false;
                CopyTo((int)reader.BytesConsumed);
                _output.Write((byte)']');
                return true;
            case PlanRuleKind.Unwrap when reader.TokenType != JsonTokenType.Null:
                return Unwrap(ref reader, child.Rule);
            default:
                return Value(ref reader, scope, child);
        }
    }

    private void Rename(TargetNode target, int nameStart, int nameEnd)
    {
        CopyTo(nameStart);
        _output.Write(target.QuotedName);
        _copied = nameEnd;
    }

    private bool Unwrap(ref Utf8JsonReader reader, PlanRule rule)
    {
        int start = (int)reader.TokenStartIndex;
        if (!Lists.TryFindFirst(_work, ref reader, _source, rule, out int first, out int firstEnd)) return false;
        if (first < 0) return true; // goes on as it is
        CopyTo(start);
        _output.Write(_source[first..firstEnd]);
        _copied = (int)reader.BytesConsumed;
        return true;
    }

    private bool Convert(ref Utf8JsonReader reader, PlanRule rule)
    {
        int start = (int)reader.TokenStartIndex;
        if (reader.TokenType == JsonTokenType.Null && !rule.Conversion!.TakesNull) return true;
        if (!_work.TakeScalar(ref reader, out Scalar value)) return false;
        Span<byte> space = stackalloc byte[Conversion.TextMax];
        if (!rule.Conversion!.TryConvert(rule.IsForward, value, space, out Scalar result)) return Refusals.Conversion(_work, rule, start);
        CopyTo(start);
        JsonText.Write(_output, result);
        _copied = (int)reader.BytesConsumed;
        return true;
    }

    private bool Split(ref Utf8JsonReader reader, PlanRule rule, int nameStart, int nameEnd)
    {
        CopyTo(nameStart);
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
        {
            // As it is, under the name of the first part, where that is wanted.
            if (!Refusals.Split(_work, rule, reader.TokenStartIndex)) return false;
            Rename(rule.Targets[0], nameStart, nameEnd);
            return _work.Skip(ref reader, _source);
        }
        if (!_work.TakeScalar(ref reader, out Scalar value)) return false;
        Span<(int Start, int Length)> parts = stackalloc (int, int)[rule.Targets.Length];
        int count = value.IsString ? Splitting.Split(value.Text, rule.Rule.Separator, rule.Rule.SplitsAtLast, parts) : parts.Length;
        for (int i = 0; i < count; i++)
        {
            if (i > 0) _output.Write((byte)',');
            _output.Write(rule.Targets[i].QuotedName);
            _output.Write((byte)':');
            if (value.IsString) JsonText.WriteString(_output, value.Text.Slice(parts[i].Start, parts[i].Length));
            else _output.Write("null"u8);
        }
        _copied = (int)reader.BytesConsumed;
        return true;
    }
}
