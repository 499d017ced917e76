// An invented plan for the tests, in the form the qplan filter prints.
export const PLAN = `=====qplan params v1
	Nov 18, 2026	Jan  3, 2027	Mobile:Server
=====qplan tracks v1
	All
	
	Core
=====qplan skills v1
	Mobile
	Server
=====qplan triages v1
	1
	1.5
	2
	2.5
	3
=====qplan track manpower v1
	17.600004	11.799997
	5.9999986	0.0
	11.5999975	11.799997
=====qplan track-triage demand v1
	=====qplan triage item
		6.0	6.0
		9.0	6.0
		12.0	18.0
		12.0	18.0
		12.0	18.0
	=====qplan triage item
		0.0	0.0
		3.0	0.0
		3.0	0.0
		3.0	0.0
		3.0	0.0
	=====qplan triage item
		6.0	6.0
		6.0	6.0
		9.0	18.0
		9.0	18.0
		9.0	18.0
=====qplan track-skill staff v1
	=====qplan track item
		=====qplan skill item
			Ann
			Bob
		=====qplan skill item
			Cid
	=====qplan track item
		=====qplan skill item
			Bob
		=====qplan skill item
	=====qplan track item
		=====qplan skill item
			Ann
		=====qplan skill item
			Cid
=====qplan track work v1
	=====qplan track item
		Core	1	1	Offline mode	Mobile:4.0, Server:3.0		Dec 10, 2026
		Core	2	1	Push channel	Mobile:2.0, Server:3.0		Dec  1, 2026
			3	1.5	Widgets	Mobile:3.0		Dec 24, 2026
		Core	4	2	Rewrite	Mobile:3.0, Server:12.0	Server:-6.200003	DNF
		Core	5	2	Rewrite			DNF
	=====qplan track item
			3	1.5	Widgets	Mobile:3.0		Dec 11, 2026
	=====qplan track item
		Core	1	1	Offline mode	Mobile:4.0, Server:3.0		Dec 10, 2026
		Core	2	1	Push channel	Mobile:2.0, Server:3.0		Dec  1, 2026
		Core	4	2	Rewrite	Mobile:3.0, Server:12.0	Server:-6.200003	DNF
		Core	5	2	Rewrite			DNF
`;
