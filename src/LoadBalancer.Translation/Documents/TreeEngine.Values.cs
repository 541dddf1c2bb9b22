using System.Text.Json;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Documents;

/// <summary>How values find their place in the document that goes out.</summary>
internal ref partial struct TreeEngine
{
    private readonly ref int SlotOf(ref Frame frame, TargetNode target) => ref _nodes.Slots[frame.Slots + target.Slot];

    // The object at a target, made where it is not there. None: what came in without a rule has no place there, as a rule has put something else.
    private readonly int Ensure(ref Frame frame, TargetNode target, bool isPassed, long position)
    {
        int at = SlotOf(ref frame, target);
        if (at != None && _nodes[at].Kind == TreeNodeKind.Object)
        {
            if (!isPassed) _nodes[at].IsPassed = false;
            return at;
        }
        if (at != None && isPassed) return None;
        if (at != None && !GivesWay(at)) return Clash(target, position);
        TreeNode made = TreeNode.Of(TreeNodeKind.Object);
        made.IsPassed = isPassed;
        return Place(ref frame, target, _nodes.Add(made), isPassed, position);
    }

    // Puts a node where its target is. What was there has been looked at.
    private readonly int Place(ref Frame frame, TargetNode target, int node, bool isPassed, long position)
    {
        if (target.Parent is { } parent)
        {
            int container = Ensure(ref frame, parent, isPassed, position);
            if (container < 0) return container;
            (_nodes[node].Name, _nodes[node].NameLength) = (~_scratch.Length, target.QuotedName.Length);
            _scratch.Write(target.QuotedName);
            _nodes.Attach(container, node);
        }
        int old = SlotOf(ref frame, target);
        if (old != None) _nodes[old].Kind = TreeNodeKind.Gone;
        SlotOf(ref frame, target) = node;
        return node;
    }

    private readonly bool GivesWay(int node) => _nodes[node].IsPassed || (_nodes[node] is { Kind: TreeNodeKind.Text, Length: 4 } && Slice(_nodes[node].Place, 4).SequenceEqual("null"u8));

    private readonly int Clash(TargetNode target, long position)
    {
        _work.Fail(TranslationProblemKind.Clash, $"has two values for \"{target.Name}\" of the other version, and not both are objects", null, position);
        return Failed;
    }

    private readonly bool Put(ref Frame frame, TargetNode target, int node, long position)
    {
        int at = SlotOf(ref frame, target);
        if (at != None && !GivesWay(at)) return Clash(target, position) != Failed;
        return Place(ref frame, target, node, isPassed: false, position) != Failed;
    }

    // The value at which the reader is, as it stands. Objects that others write into are brought together with what they write.
    private bool PutSource(ref Utf8JsonReader reader, ref Frame frame, TargetNode target, bool isPassed)
    {
        long position = reader.TokenStartIndex;
        if (reader.TokenType == JsonTokenType.StartObject && target.Children.Values.Length > 0) return Merge(ref reader, ref frame, target, isPassed);
        int at = SlotOf(ref frame, target);
        if (at != None && (isPassed || (reader.TokenType == JsonTokenType.Null && !GivesWay(at)))) return _work.Skip(ref reader, _source);
        int value = Text(ref reader);
        if (value == Failed) return false;
        _nodes[value].IsPassed = isPassed;
        if (!isPassed) return Put(ref frame, target, value, position);
        return Place(ref frame, target, value, isPassed: true, position) != Failed;
    }

    private bool Merge(ref Utf8JsonReader reader, ref Frame frame, TargetNode target, bool isPassed)
    {
        int container = Ensure(ref frame, target, isPassed, reader.TokenStartIndex);
        if (container == Failed) return false;
        if (container == None) return _work.Skip(ref reader, _source);
        if (!_work.EnterObject(ref reader)) return false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            int nameStart = (int)reader.TokenStartIndex, nameLength = reader.ValueSpan.Length + 2;
            if (!_work.TakeName(ref reader, _source, out ReadOnlySpan<byte> name)) return false;
            TargetNode? taken = target.Children.Find(name);
            reader.Read();
            if (taken is { IsLeaf: true } ? !_work.Skip(ref reader, _source) : !Pass(ref reader, ref frame, target, taken, nameStart, nameLength)) return false;
        }
        return true;
    }

    private int Text(ref Utf8JsonReader reader)
    {
        int start = (int)reader.TokenStartIndex;
        return _work.Skip(ref reader, _source) ? Text(start, (int)reader.BytesConsumed - start) : Failed;
    }

    private readonly int Text(int place, int length)
    {
        TreeNode node = TreeNode.Of(TreeNodeKind.Text);
        (node.Place, node.Length) = (place, length);
        return _nodes.Add(node);
    }

    private readonly bool PutScalar(scoped ref Frame frame, TargetNode target, scoped Scalar value, long position)
    {
        int start = _scratch.Length;
        JsonText.Write(_scratch, value);
        return Put(ref frame, target, Text(~start, _scratch.Length - start), position);
    }

    private readonly bool PutJson(ref Frame frame, TargetNode target, scoped ReadOnlySpan<byte> json, long position)
    {
        int start = _scratch.Length;
        _scratch.Write(json);
        return Put(ref frame, target, Text(~start, json.Length), position);
    }

    private bool Wrap(ref Utf8JsonReader reader, ref Frame frame, PlanRule rule)
    {
        long position = reader.TokenStartIndex;
        int item = Text(ref reader);
        if (item == Failed) return false;
        int array = _nodes.Add(TreeNode.Of(TreeNodeKind.Array));
        _nodes.Attach(array, item);
        return Put(ref frame, rule.Targets[0], array, position);
    }

    private bool Unwrap(ref Utf8JsonReader reader, ref Frame frame, PlanRule rule)
    {
        int start = (int)reader.TokenStartIndex;
        if (IsAbsent(ref reader, rule))
        {
            // Nothing is there to be written; an array may still be too deep.
            return _work.Skip(ref reader, _source);
        }
        if (!Lists.TryFindFirst(_work, ref reader, _source, rule, out int first, out int firstEnd)) return false;
        int value = first < 0 ? Text(start, (int)reader.BytesConsumed - start) : Text(first, firstEnd - first);
        return Put(ref frame, rule.Targets[0], value, start);
    }

    private bool Split(ref Utf8JsonReader reader, ref Frame frame, PlanRule rule)
    {
        long position = reader.TokenStartIndex;
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
            return Refusals.Split(_work, rule, position) && PutSource(ref reader, ref frame, rule.Targets[0], isPassed: false);
        if (!_work.TakeScalar(ref reader, out Scalar value)) return false;
        Span<(int Start, int Length)> parts = stackalloc (int, int)[rule.Targets.Length];
        int count = value.IsString ? Splitting.Split(value.Text, rule.Rule.Separator, rule.Rule.SplitsAtLast, parts) : parts.Length;
        for (int i = 0; i < count; i++)
        {
            Scalar part = value.IsString ? new Scalar(JsonTokenType.String, value.Text.Slice(parts[i].Start, parts[i].Length)) : value;
            if (!PutScalar(ref frame, rule.Targets[i], part, position)) return false;
        }
        return true;
    }

    private bool KeepPart(ref Utf8JsonReader reader, ref Frame frame, PlanRule rule, int part)
    {
        int place = (int)reader.TokenStartIndex, length;
        JsonTokenType kind = reader.TokenType;
        if (kind == JsonTokenType.String)
        {
            if (!_work.TakeScalar(ref reader, out Scalar value)) return false;
            place = reader.ValueIsEscaped ? ~(_scratch.Length - value.Text.Length) : place + 1;
            length = value.Text.Length;
        }
        else
        {
            if (!_work.Skip(ref reader, _source)) return false;
            length = (int)reader.BytesConsumed - place;
        }
        int at = frame.Parts + (rule.FirstPart + part) * 3;
        (_nodes.Parts[at], _nodes.Parts[at + 1], _nodes.Parts[at + 2]) = ((int)kind, place, length);
        return true;
    }

    private readonly (JsonTokenType Kind, int Place, int Length) Part(ref Frame frame, PlanRule rule, int part)
    {
        int at = frame.Parts + (rule.FirstPart + part) * 3;
        return _nodes.Parts[at] == None ? default : ((JsonTokenType)_nodes.Parts[at], _nodes.Parts[at + 1], _nodes.Parts[at + 2]);
    }

    private readonly bool Join(ref Frame frame, PlanRule rule, long position)
    {
        TargetNode target = rule.Targets[0];
        int present = 0, strings = 0, nulls = 0, first = -1, count = rule.PartCount;
        bool isPrefix = true;
        for (int i = 0; i < count; i++)
        {
            JsonTokenType kind = Part(ref frame, rule, i).Kind;
            if (kind == JsonTokenType.None) continue;
            isPrefix &= present == i;
            if (first < 0) first = i;
            present++;
            if (kind == JsonTokenType.String) strings++;
            else if (kind == JsonTokenType.Null) nulls++;
        }
        if (present == 0) return rule.Default is null || PutJson(ref frame, target, rule.Default, position);
        if (nulls == present) return PutJson(ref frame, target, "null"u8, position);
        int start = _scratch.Length;
        Span<(int Start, int Length)> joined = stackalloc (int, int)[count], split = stackalloc (int, int)[count];
        int written = 0;
        for (int i = 0; i < count; i++)
        {
            (JsonTokenType kind, int place, int length) = Part(ref frame, rule, i);
            if (kind != JsonTokenType.String) continue;
            if (written > 0) _scratch.Write(rule.Rule.Separator);
            joined[written++] = (_scratch.Length - start, length);
            _scratch.Write(Slice(place, length));
        }
        ReadOnlySpan<byte> text = _scratch.Written[start..];
        bool isExact = isPrefix && strings == present && Splitting.Split(text, rule.Rule.Separator, rule.Rule.SplitsAtLast, split) == written && split[..written].SequenceEqual(joined[..written]);
        if (isExact || (rule.Rule.IsLossy && strings + nulls == present)) return PutScalar(ref frame, target, new Scalar(JsonTokenType.String, text), position);
        if (!Refusals.Join(_work, rule, position)) return false;
        // As it is, which can only be the first of them.
        (JsonTokenType firstKind, int firstPlace, int firstLength) = Part(ref frame, rule, first);
        return firstKind == JsonTokenType.String ? PutScalar(ref frame, target, new Scalar(firstKind, Slice(firstPlace, firstLength)), position) : Put(ref frame, target, Text(firstPlace, firstLength), position);
    }

    private readonly ReadOnlySpan<byte> Slice(int place, int length) => place >= 0 ? _source.Slice(place, length) : _scratch.Written.Slice(~place, length);

    private readonly void Write(int index)
    {
        OutputBuffer output = _work.Output;
        TreeNode node = _nodes[index];
        if (node.Kind == TreeNodeKind.Text)
        {
            output.Write(Slice(node.Place, node.Length));
            return;
        }
        bool isObject = node.Kind == TreeNodeKind.Object, isFirst = true;
        output.Write((byte)(isObject ? '{' : '['));
        for (int child = node.First; child >= 0; child = _nodes[child].Next)
        {
            if (_nodes[child].Kind == TreeNodeKind.Gone) continue;
            if (!isFirst) output.Write((byte)',');
            isFirst = false;
            if (isObject)
            {
                output.Write(Slice(_nodes[child].Name, _nodes[child].NameLength));
                output.Write((byte)':');
            }
            Write(child);
        }
        output.Write((byte)(isObject ? '}' : ']'));
    }
}
