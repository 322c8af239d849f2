namespace Shop.Core;
