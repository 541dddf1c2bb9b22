using System.Text.Json;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Documents;

/// <summary>
/// Translates by putting the document together anew, for rules that move values between objects. The source is read once; what no rule looks into is copied as it stands. Depth is
/// bounded by the document's, nodes by its length.
/// </summary>
internal ref partial struct TreeEngine
{
    private const int None = -1, Failed = -2;

    private readonly DocumentTranslator _work;
    private readonly TreeNodes _nodes;
    private readonly OutputBuffer _scratch;
    private readonly ReadOnlySpan<byte> _source;

    internal TreeEngine(DocumentTranslator work, ReadOnlySpan<byte> source)
    {
        _work = work;
        _nodes = work.Tree;
        _scratch = work.Scratch;
        _source = source;
    }

    internal bool Run(ref Utf8JsonReader reader, Scope scope)
    {
        _nodes.Reset();
        reader.Read();
        int root = Build(ref reader, scope);
        if (root == Failed) return false;
        reader.Read(); // throws where something follows
        if (root == None) _work.Output.Write("null"u8); // the rules leave nothing of the document
        else Write(root);
        return true;
    }

    /// <summary>What has left an object of which nothing stays.</summary>
    private enum Gone : byte
    {
        Nothing,
        /// <summary>Only what the other version takes for granted.</summary>
        Constants,
        /// <summary>Values that went elsewhere.</summary>
        Values,
    }

    /// <summary>A scope under way.</summary>
    private ref struct Frame
    {
        internal Scope Scope;
        internal int Slots, Parts;
    }

    // The value of a scope of its own; None where the rules leave nothing.
    private int Build(ref Utf8JsonReader reader, Scope scope)
    {
        var frame = new Frame { Scope = scope, Slots = _nodes.Slots.Push(scope.TargetCount, None), Parts = _nodes.Parts.Push(scope.PartCount * 3, None) };
        bool isObject = reader.TokenType == JsonTokenType.StartObject;
        long position = reader.TokenStartIndex;
        if (!Visit(ref reader, ref frame, scope.Root, out _)) return Failed;
        foreach (PlanRule join in scope.Joins) if (!Join(ref frame, join, position)) return Failed;
        if (isObject) foreach (PlanRule constant in scope.Constants) if (Takes(ref frame, constant.Targets[0]) && !PutJson(ref frame, constant.Targets[0], constant.Default, position)) return Failed;
        int root = _nodes.Slots[frame.Slots + scope.Target.Slot];
        _nodes.Slots.PopTo(frame.Slots);
        _nodes.Parts.PopTo(frame.Parts);
        return root;
    }

    // A constant goes into an object that comes in only where that is there; objects of the other version alone are made for it.
    private readonly bool Takes(ref Frame frame, TargetNode constant)
    {
        for (TargetNode? at = constant.Parent; at?.Parent is not null; at = at.Parent)
        {
            if (at.Writers > 0) return SlotOf(ref frame, at) is var slot && slot != None && _nodes[slot].Kind == TreeNodeKind.Object;
        }
        return true;
    }

    // The reader is at the first token of the value, then at its last.
    private bool Visit(ref Utf8JsonReader reader, ref Frame frame, SourceNode node, out Gone gone)
    {
        gone = Gone.Nothing;
        PlanRule? rule = node.Rule;
        if (rule?.Omitted is { } omitted && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            if (!_work.TakeScalar(ref reader, out Scalar value)) return false;
            if (omitted.Equals(value)) return true;
        }
        switch (rule?.Kind)
        {
            case PlanRuleKind.Remove when !node.TakesObject || reader.TokenType != JsonTokenType.StartObject:
                return _work.Skip(ref reader, _source);
            case PlanRuleKind.Split:
                return Split(ref reader, ref frame, rule);
            case PlanRuleKind.Join:
                return KeepPart(ref reader, ref frame, rule, node.Part);
            case PlanRuleKind.Wrap when reader.TokenType != JsonTokenType.Null:
                return Wrap(ref reader, ref frame, rule);
            case PlanRuleKind.Unwrap when reader.TokenType != JsonTokenType.Null:
                return Unwrap(ref reader, ref frame, rule);
            default:
                break;
        }
        if (node.Type is { } type)
        {
            long position = reader.TokenStartIndex;
            int built = Build(ref reader, type);
            return built >= 0 ? Put(ref frame, node.Target!, built, position) : built == None;
        }
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject when node.Members is { } members:
                return Members(ref reader, ref frame, node.Target!, members);
            case JsonTokenType.StartObject when node.TakesObject:
                return Object(ref reader, ref frame, node, out gone);
            case JsonTokenType.StartArray when node.Items is { } items:
                return Items(ref reader, ref frame, node.Target!, items);
            case JsonTokenType.Null when node.TakesContainer:
                break;
            case not (JsonTokenType.StartObject or JsonTokenType.StartArray) when rule?.Conversion is not null:
                return Convert(ref reader, ref frame, rule);
            default:
                if ((node.TakesContainer || rule?.Conversion is not null) && !Refusals.Value(_work, ref reader, node)) return false;
                break;
        }
        return node.Target is null ? _work.Skip(ref reader, _source) : PutSource(ref reader, ref frame, node.Target, isPassed: false);
    }

    private bool Object(ref Utf8JsonReader reader, ref Frame frame, SourceNode node, out Gone gone)
    {
        gone = Gone.Nothing;
        if (!_work.EnterObject(ref reader)) return false;
        long position = reader.TokenStartIndex;
        Gone left = Gone.Nothing;
        ulong seen = 0;
        Span<ulong> seenMore = node.Defaults.Length > 64 ? new ulong[node.Defaults.Length / 64] : default; // rare: more than 64 defaults in an object
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            int nameStart = (int)reader.TokenStartIndex, nameLength = reader.ValueSpan.Length + 2;
            if (!_work.TakeName(ref reader, _source, out ReadOnlySpan<byte> name)) return false;
            SourceNode? child = node.Children.Find(name);
            TargetNode? taken = child is null ? node.Target?.Children.Find(name) : null;
            reader.Read();
            if (child is null)
            {
                bool drops = node.Target is null || frame.Scope.DropsUnknown || taken is { IsLeaf: true };
                if (drops ? !_work.Skip(ref reader, _source) : !Pass(ref reader, ref frame, node.Target!, taken, nameStart, nameLength)) return false;
                continue;
            }
            if (child.DefaultIndex >= 64) seenMore[child.DefaultIndex / 64 - 1] |= 1UL << child.DefaultIndex;
            else if (child.DefaultIndex >= 0 && !IsAbsent(ref reader, child.Rule!)) seen |= 1UL << child.DefaultIndex;
            if (!Visit(ref reader, ref frame, child, out Gone childGone)) return false;
            Gone own = child.Rule is { Kind: PlanRuleKind.Remove } removed ? removed.Rule.Constant is null ? Gone.Nothing : Gone.Constants : child.Target?.Parent != node.Target ? Gone.Values : Gone.Nothing;
            if (own > left) left = own;
            if (childGone > left) left = childGone;
        }
        foreach (SourceNode child in node.Defaults)
        {
            bool isThere = child.DefaultIndex < 64 ? (seen & 1UL << child.DefaultIndex) != 0 : (seenMore[child.DefaultIndex / 64 - 1] & 1UL << child.DefaultIndex) != 0;
            if (!isThere && !PutJson(ref frame, child.Rule!.Targets[0], child.Rule.Default, position)) return false;
        }
        if (node.Target is not { } target) return true;
        // An object of which everything went elsewhere does not stay behind empty; one that was empty does, and one that both versions have and only constants were in.
        if (SlotOf(ref frame, target) != None) return true;
        if (target.Parent is not null && (left == Gone.Values || target.IsImplied)) gone = left;
        return gone != Gone.Nothing || Ensure(ref frame, target, isPassed: false, position) != Failed;
    }

    // What the plan in place would not have written: a default stands for it.
    private static bool IsAbsent(ref Utf8JsonReader reader, PlanRule rule)
    {
        if (rule.Kind != PlanRuleKind.Unwrap || reader.TokenType != JsonTokenType.StartArray) return false;
        Utf8JsonReader ahead = reader;
        ahead.Read();
        return ahead.TokenType == JsonTokenType.EndArray;
    }

    private bool Items(ref Utf8JsonReader reader, ref Frame frame, TargetNode target, Scope items)
    {
        long position = reader.TokenStartIndex;
        if (!_work.Enter(ref reader)) return false;
        int array = _nodes.Add(TreeNode.Of(TreeNodeKind.Array));
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int item = Build(ref reader, items);
            if (item == Failed) return false;
            if (item != None) _nodes.Attach(array, item);
        }
        return Put(ref frame, target, array, position);
    }

    private bool Members(ref Utf8JsonReader reader, ref Frame frame, TargetNode target, Scope members)
    {
        long position = reader.TokenStartIndex;
        if (!_work.EnterObject(ref reader)) return false;
        int all = _nodes.Add(TreeNode.Of(TreeNodeKind.Object));
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            int nameStart = (int)reader.TokenStartIndex, nameLength = reader.ValueSpan.Length + 2;
            if (!_work.TakeName(ref reader, _source, out _)) return false;
            reader.Read();
            int member = Build(ref reader, members);
            if (member == Failed) return false;
            if (member == None) continue;
            (_nodes[member].Name, _nodes[member].NameLength) = (nameStart, nameLength);
            _nodes.Attach(all, member);
        }
        return Put(ref frame, target, all, position);
    }

    // A member that no rule names.
    private bool Pass(ref Utf8JsonReader reader, ref Frame frame, TargetNode parent, TargetNode? taken, int nameStart, int nameLength)
    {
        if (taken is not null) return PutSource(ref reader, ref frame, taken, isPassed: true);
        long position = reader.TokenStartIndex;
        int container = Ensure(ref frame, parent, isPassed: true, position);
        int value = container == Failed ? Failed : Text(ref reader);
        if (container == None) return value != Failed; // a rule has put something else there
        if (value == Failed) return false;
        (_nodes[value].Name, _nodes[value].NameLength, _nodes[value].IsPassed) = (nameStart, nameLength, true);
        _nodes.Attach(container, value);
        return true;
    }

    private bool Convert(ref Utf8JsonReader reader, ref Frame frame, PlanRule rule)
    {
        long position = reader.TokenStartIndex;
        if (reader.TokenType == JsonTokenType.Null && !rule.Conversion!.TakesNull) return PutSource(ref reader, ref frame, rule.Targets[0], isPassed: false);
        if (!_work.TakeScalar(ref reader, out Scalar value)) return false;
        Span<byte> space = stackalloc byte[Conversion.TextMax];
        if (rule.Conversion!.TryConvert(rule.IsForward, value, space, out Scalar result)) return PutScalar(ref frame, rule.Targets[0], result, position);
        return Refusals.Conversion(_work, rule, position) && PutSource(ref reader, ref frame, rule.Targets[0], isPassed: false);
    }
}
