using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Translation.Plans;

/// <summary>Brings the rules of one value together: what is read where, and what is written where. Used once, at load.</summary>
internal sealed class ScopeBuilder(MapVersion from, Action<string, string> report)
{
    private const int DefaultsMax = 64; // bits of the mask that streams keep

    private readonly MapVersion _to = from == MapVersion.V1 ? MapVersion.V2 : MapVersion.V1;
    private readonly Draft _root = new("");
    private readonly DraftTarget _target = new("");
    private readonly List<PlanRule> _rules = [];
    private readonly List<Link> _links = [];

    private string From => from == MapVersion.V1 ? "v1" : "v2";

    private string To => from == MapVersion.V1 ? "v2" : "v1";

    internal void Add(FieldRule rule)
    {
        FieldPath[] sources = rule.Side(from), targets = rule.Side(_to);
        FieldPath any = sources.Length > 0 ? sources[0] : targets[0];
        if (any.FirstRepeat >= 0) AddRepeated(rule, sources, targets);
        else AddLocal(rule, sources, targets);
    }

    private void AddRepeated(FieldRule rule, FieldPath[] sources, FieldPath[] targets)
    {
        FieldPath? source = Container(rule, sources), target = Container(rule, targets);
        if ((source is null && sources.Length > 0) || (target is null && targets.Length > 0)) return;
        PathStepKind kind = (sources.Length > 0 ? sources : targets)[0] is var path ? path.Steps[path.FirstRepeat].Kind : default;
        Link? link = _links.Find(l => l.Kind == kind && (source is not null ? l.Source.Equals(source) : l.Target.Equals(target)));
        if (link is null)
        {
            if (source is null || target is null)
            {
                (FieldPath known, string side, string elsewhere) = source is not null ? (source, From, To) : (target!, To, From);
                report(rule.MapPath, $"goes through {Repeat(known, kind)} of {side}, but no rule says what that is in {elsewhere}; expected one such as {Repeat(known, kind)}, or with both paths where they differ");
                return;
            }
            link = new Link(source, target, kind);
            if (_links.Find(l => l.Kind == kind && l.Target.Equals(link.Target)) is { } other)
                report(rule.MapPath, $"{Repeat(link.Target, kind)} of {To} is filled from {Repeat(other.Source, kind)} by {other.Rules[0].MapPath}, and from {Repeat(link.Source, kind)} here; expected one of them");
            _links.Add(link);
        }
        else if (target is not null && !link.Target.Equals(target))
        {
            report(rule.MapPath, $"{Repeat(link.Source, kind)} of {From} goes to {Repeat(link.Target, kind)} by {link.Rules[0].MapPath}, and to {Repeat(target, kind)} here; expected one of them");
            return;
        }
        link.Rules.Add(rule.With(Rest(rule.V1), Rest(rule.V2)));
    }

    // All parts of a value are in the same elements.
    private FieldPath? Container(FieldRule rule, FieldPath[] paths)
    {
        if (paths.Length == 0) return null;
        FieldPath first = paths[0].Until(paths[0].FirstRepeat);
        foreach (FieldPath path in paths)
        {
            if (path.FirstRepeat == first.Steps.Length && path.Until(path.FirstRepeat).Equals(first)) continue;
            report(rule.MapPath, $"\"{paths[0]}\" and \"{path}\" are not in the same elements; expected parts of one value within one");
            return null;
        }
        return first;
    }

    private static FieldPath[] Rest(FieldPath[] paths) => [.. paths.Select(p => p.From(p.FirstRepeat + 1))];

    private static string Repeat(FieldPath path, PathStepKind kind) => kind == PathStepKind.Items ? $"\"{path}[]\"" : $"\"{path}.*\"";

    private void AddLocal(FieldRule rule, FieldPath[] sources, FieldPath[] targets)
    {
        PlanRule plan = Plan(rule, sources.Length, targets.Length);
        for (int i = 0; i < sources.Length; i++)
        {
            Draft draft = _root.At(sources[i]);
            if (draft.Rule is { } other)
            {
                report(rule.MapPath, $"\"{sources[i]}\" of {From} is read by {other.Rule.MapPath} too; expected one rule for a value");
                return;
            }
            draft.Rule = plan;
            draft.Part = i;
        }
        for (int i = 0; i < targets.Length; i++)
        {
            DraftTarget draft = _target.At(targets[i]);
            if (draft.Rule is { } other)
            {
                report(rule.MapPath, $"\"{targets[i]}\" of {To} is written by {other.Rule.MapPath} too; expected one rule for a value");
                return;
            }
            draft.Rule = plan;
        }
        _rules.Add(plan);
        if (plan.Kind is PlanRuleKind.Move or PlanRuleKind.Wrap or PlanRuleKind.Unwrap) _root.At(sources[0]).Target = _target.At(targets[0]);
    }

    private PlanRule Plan(FieldRule rule, int sources, int targets)
    {
        bool isForward = from == MapVersion.V1;
        bool wraps = isForward ? rule.IsListInV2 : rule.IsListInV1, unwraps = isForward ? rule.IsListInV1 : rule.IsListInV2;
        PlanRuleKind kind = sources == 0 ? PlanRuleKind.Constant : targets == 0 ? PlanRuleKind.Remove : sources > 1 ? PlanRuleKind.Join : targets > 1 ? PlanRuleKind.Split
            : wraps ? PlanRuleKind.Wrap : unwraps ? PlanRuleKind.Unwrap : PlanRuleKind.Move;
        byte[]? back = rule.OmitsDefault ? rule.Default(from) : null;
        return new PlanRule
        {
            Rule = rule,
            Kind = kind,
            IsForward = isForward,
            Default = targets == 0 ? null : (kind == PlanRuleKind.Constant ? rule.Constant : null) ?? rule.Default(_to),
            Omitted = back is null ? null : new OmittedScalar(back),
        };
    }

    /// <summary>Builds the scope.</summary>
    /// <param name="scope">Gets everything.</param>
    /// <param name="drops">Fields that no rule names are left out.</param>
    /// <param name="isType">Whether there is such a type; who is none has been told of.</param>
    /// <param name="type">The scope of a type.</param>
    /// <param name="inner">Compiles rules of elements.</param>
    internal void Finish(Scope scope, bool drops, Func<string, bool> isType, Func<string, Scope> type, Func<string, IReadOnlyList<FieldRule>, Scope> inner)
    {
        foreach (Link link in _links) Connect(link, inner);
        _root.Target ??= _target;
        Place(_root);
        scope.DropsUnknown = drops;
        int slots = 0;
        scope.Target = Build(_target, null, ref slots);
        scope.TargetCount = slots;
        foreach (PlanRule rule in _rules)
        {
            FieldPath[] targets = rule.Rule.Side(_to);
            rule.Targets = [.. targets.Select(t => _target.At(t).Built!)];
            if (rule.Kind != PlanRuleKind.Join) continue;
            rule.FirstPart = scope.PartCount;
            scope.PartCount += rule.PartCount;
        }
        scope.Joins = [.. _rules.Where(r => r.Kind == PlanRuleKind.Join)];
        scope.Constants = [.. _rules.Where(r => r.Kind == PlanRuleKind.Constant && r.Default is not null)];
        scope.Root = Build(_root, isType, type);
        int within = GiveConstants(scope, scope.Root);
        if (scope.Constants.Length > 0 || (drops && !scope.Root.TakesContainer && scope.Root.Rule is null)) scope.Root.TakesObject = true;
        scope.IsInPlace = within == scope.Constants.Length && IsInPlace(scope, scope.Root, isRoot: true);
    }

    // Constants of objects that come in are written where those are; how many there are.
    private static int GiveConstants(Scope scope, SourceNode node)
    {
        node.Constants = [.. scope.Constants.Where(c => node.Target is not null && c.Targets[0].Parent == node.Target)];
        if (node.Constants.Length > 0) node.TakesObject = true;
        return node.Constants.Length + node.Children.Values.Sum(child => GiveConstants(scope, child));
    }

    private void Connect(Link link, Func<string, IReadOnlyList<FieldRule>, Scope> inner)
    {
        Draft draft = _root.At(link.Source);
        string first = link.Rules[0].MapPath;
        DraftTarget target = _target.At(link.Target);
        if (draft.Rule is { } rule)
        {
            if (rule.Kind != PlanRuleKind.Move || rule.Conversion is not null || rule.Rule.Type is not null)
            {
                report(first, $"goes into \"{link.Source}\" of {From}, which {rule.Rule.MapPath} takes as a whole");
                return;
            }
            if (draft.Target != target)
            {
                report(first, $"goes to {Repeat(link.Target, link.Kind)}, but {rule.Rule.MapPath} has \"{link.Source}\" of {From} go elsewhere");
                return;
            }
        }
        else if (target.Rule is { } writer)
        {
            report(first, $"\"{link.Target}\" of {To} is written by {writer.Rule.MapPath} too; expected one rule for a value");
            return;
        }
        if (draft.Target is { } placed && placed != target)
        {
            report(first, $"\"{link.Source}\" of {From} goes to more than one place");
            return;
        }
        draft.Target = target;
        target.IsLeaf = true;
        Scope scope = inner(first, link.Rules);
        if (link.Kind == PathStepKind.Items) draft.Items = scope;
        else draft.Members = scope;
        if (draft.Members is not null && (draft.Children.Count > 0 || target.Children.Count > 0)) report(first, $"goes into every member of \"{link.Source}\" of {From}, and other rules into some by name; expected one of them");
    }

    // What has no place of its own stays in its parent, under its name. Nothing is below what is removed but what has a place.
    private static void Place(Draft draft)
    {
        foreach (Draft child in draft.Children.Values)
        {
            if (child.Target is null && (child.Rule is null || child.Rule.Kind == PlanRuleKind.Move) && draft.Target is not null) child.Target = draft.Target.Imply(child.Name);
            Place(child);
        }
        if (draft.Target is not null) draft.Target.Writers++;
    }

    private static TargetNode Build(DraftTarget draft, TargetNode? parent, ref int slots)
    {
        var node = new TargetNode { Name = draft.Name, QuotedName = PlanCompiler.Quote(draft.Name), Parent = parent, Slot = slots++, IsLeaf = draft.Rule is not null || draft.IsLeaf, IsImplied = draft.IsImplied, Writers = draft.Writers };
        draft.Built = node;
        var children = new List<(string, TargetNode)>();
        foreach (DraftTarget child in draft.Children.Values) children.Add((child.Name, Build(child, node, ref slots)));
        node.Children = new(children);
        return node;
    }

    private SourceNode Build(Draft draft, Func<string, bool> isType, Func<string, Scope> type)
    {
        var node = new SourceNode { Name = draft.Name, Rule = draft.Rule, Part = draft.Part, Target = draft.Target?.Built, Items = draft.Items, Members = draft.Members };
        if (draft.Rule is { } rule)
        {
            if (rule.Rule.Type is { } name && isType(name)) node.Type = type(name);
            bool isWhole = rule.Conversion is not null || rule.Rule.Type is not null || rule.Kind is not (PlanRuleKind.Move or PlanRuleKind.Remove);
            if (isWhole && draft.Children.Count > 0)
                report(rule.Rule.MapPath, $"takes \"{string.Join('.', rule.Rule.Side(from).Select(p => p.ToString()))}\" of {From} as a whole, but other rules go into it; expected them {(rule.Rule.Type is null ? "not to" : "in the type")}");
            if (rule.Rule.Type is not null && node.Target is { Children.Values.Length: > 0 })
                report(rule.Rule.MapPath, $"writes a value with a type to {To}, and other rules write into it; expected them in the type");
        }
        node.Children = new(draft.Children.Values.Select(c => (c.Name, Build(c, isType, type))));
        node.Defaults = [.. node.Children.Values.Where(c => c.Rule is { Default: not null, Kind: not PlanRuleKind.Join })];
        for (int i = 0; i < node.Defaults.Length; i++) node.Defaults[i].DefaultIndex = i;
        node.TakesObject = node.Children.Values.Length > 0;
        return node;
    }

    private static bool IsInPlace(Scope scope, SourceNode node, bool isRoot)
    {
        if (isRoot && node.Rule is { } self && (self.Kind != PlanRuleKind.Move || self.Omitted is not null)) return false;
        if (isRoot && (node.Target != scope.Target || scope.Joins.Length > 0)) return false;
        if (node.Target is { Writers: > 1 } || node.Defaults.Length > DefaultsMax) return false;
        foreach (SourceNode child in node.Children.Values)
        {
            if (child.Rule is { Kind: PlanRuleKind.Split } split && split.Targets.Any(t => t.Parent != node.Target || t.Children.Values.Length > 0)) return false;
            // An object that the other version does not have goes with the constant that was alone in it.
            if (node.Target is { IsImplied: true } && child.Rule is { Kind: PlanRuleKind.Remove, Rule.Constant: not null }) return false;
            if (child.Target is { } target && target.Parent != node.Target) return false;
            if (!IsInPlace(scope, child, isRoot: false)) return false;
        }
        // A name that only rules from elsewhere fill would have to be brought together with one that comes in.
        return node.Target is null || !node.Target.Children.Values.Any(t => t.Children.Values.Length > 0 && !node.Children.Values.Any(c => c.Target == t));
    }

    private sealed class Link(FieldPath source, FieldPath target, PathStepKind kind)
    {
        internal FieldPath Source { get; } = source;

        internal FieldPath Target { get; } = target;

        internal PathStepKind Kind { get; } = kind;

        internal List<FieldRule> Rules { get; } = [];
    }

    private sealed class Draft(string name)
    {
        internal string Name { get; } = name;

        internal SortedDictionary<string, Draft> Children { get; } = new(StringComparer.Ordinal);

        internal PlanRule? Rule { get; set; }

        internal int Part { get; set; }

        internal DraftTarget? Target { get; set; }

        internal Scope? Items { get; set; }

        internal Scope? Members { get; set; }

        internal Draft At(FieldPath path)
        {
            Draft at = this;
            foreach (PathStep step in path.Steps)
            {
                if (!at.Children.TryGetValue(step.Name, out Draft? next)) at.Children[step.Name] = next = new Draft(step.Name);
                at = next;
            }
            return at;
        }
    }

    private sealed class DraftTarget(string name)
    {
        internal string Name { get; } = name;

        internal SortedDictionary<string, DraftTarget> Children { get; } = new(StringComparer.Ordinal);

        internal PlanRule? Rule { get; set; }

        internal bool IsLeaf { get; set; }

        internal bool IsImplied { get; private set; }

        internal int Writers { get; set; }

        internal TargetNode? Built { get; set; }

        /// <summary>As <see cref="Child"/>, for what no rule names on that side.</summary>
        internal DraftTarget Imply(string name)
        {
            bool isKnown = Children.ContainsKey(name);
            DraftTarget child = Child(name);
            child.IsImplied |= !isKnown;
            return child;
        }

        internal DraftTarget Child(string name)
        {
            if (!Children.TryGetValue(name, out DraftTarget? child)) Children[name] = child = new DraftTarget(name);
            return child;
        }

        internal DraftTarget At(FieldPath path)
        {
            DraftTarget at = this;
            foreach (PathStep step in path.Steps) at = at.Child(step.Name);
            return at;
        }
    }
}
